#pragma once

namespace berth::agent {

/// Joins stdin and stdout to a TCP port of an address (IPv4 or IPv6), after the byte
/// of protocol/dial.hpp. Tries until it is accepted, for `seconds` at most. Returns
/// an exit code of protocol/exit_codes.hpp; its words are on stderr.
int dial(const char* address, const char* port, const char* seconds);

}  // namespace berth::agent
