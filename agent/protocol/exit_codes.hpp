#pragma once

/// How berth-agent ends, for those who see only a container's or an engine
/// exec's exit code. Its stderr has the words.
namespace berth::protocol {

/// SIGTERM, SIGINT, SIGQUIT or SIGHUP to `serve`; the other end closed to `connect`.
inline constexpr int k_exit_done = 0;
/// Wrong arguments, or a key of BERTH_AGENT that it cannot read.
inline constexpr int k_exit_usage = 64;
/// `connect`: nobody listens on the socket. For good, unless the container has
/// only just been started.
inline constexpr int k_exit_nobody = 69;
/// Something that should not fail did: the socket cannot be made or reached.
inline constexpr int k_exit_failed = 70;
/// `connect`: the agent's backlog is full. Try again.
inline constexpr int k_exit_try_again = 75;
/// `serve`: no driver touched the lease for longer than `orphan`.
inline constexpr int k_exit_orphaned = 80;
/// `serve`: the job's deadline has passed.
inline constexpr int k_exit_deadline = 81;

}  // namespace berth::protocol
