#pragma once

namespace berth::agent {

/// Joins stdin and stdout to a socket until either end is done. Once a process.
void join(int socket);

}  // namespace berth::agent
