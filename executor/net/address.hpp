#pragma once

struct sockaddr;

namespace berth::net {

/// Whether a connection there stays on this machine or its link: loopback, the unspecified
/// address (which Linux takes for loopback), link-local ones (clouds have their metadata
/// there), and IPv4's written as IPv6 (RFC 6890, RFC 4291 2.5). Pure. Of this machine's
/// other addresses it knows nothing; families other than IP are none.
bool is_this_machine(const sockaddr& address);

}  // namespace berth::net
