#pragma once

#include <span>
#include <string>
#include <vector>

namespace berth::process {

/// Starts a program that outlives this one, in a session of its own and without a
/// terminal. `descriptors` become its 0, 3, 4, …; 1 and 2 go to /dev/null; it
/// inherits nothing else but the environment and the working directory. Signals are
/// as in a new login. Nobody waits for it: it is init's when this process has ended.
/// Throws support::SystemError.
void start_detached(const std::vector<std::string>& argv, std::span<const int> descriptors);

}  // namespace berth::process
