#pragma once

#include <functional>

namespace berth::cli {

/// Runs `work` in a child process and waits for it: its result is this one's. SIGTERM
/// and SIGHUP are handed on; SIGINT reaches both from a terminal, and the child alone
/// acts on it; when this process is killed, the child gets SIGTERM. Where the child
/// was killed, `tidy` runs here and the result is 1.
/// Call it before any thread is started. Throws SystemError.
int run_guarded(const std::function<int()>& work, const std::function<void()>& tidy);

}  // namespace berth::cli
