#pragma once

#include "executor/agentlink/transport.hpp"
#include "executor/support/fd.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace berth::agentlink {

/// The agent's unix socket, reached through a directory of this host that is
/// mounted into the container.
///
/// The job may write in that directory, so nothing in it is trusted: `trusted`
/// (owned by us, 0700, outside the container) is opened by path; `below` (e.g.
/// "build/agent.sock") is then opened with openat2 RESOLVE_BENEATH |
/// RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS as O_PATH, checked to be a socket,
/// and connected through /proc/self/fd. What replaced it meanwhile is never
/// followed. Long paths work.
///
/// connect(): absent where `trusted` or the directory in it does not exist, gone
/// where the socket is missing or refuses, hostile where something else stands
/// there, temporary where the agent's backlog is full.
std::unique_ptr<Transport> make_socket_transport(std::filesystem::path trusted,
                                                 const std::filesystem::path& below);

/// The same for one path as sandbox.json has it (`<role>.socket_dir`): its parent
/// is trusted, the directory and the "agent.sock" in it are not.
std::unique_ptr<Transport> make_socket_transport(const std::filesystem::path& socket_dir);

/// A connected socket as a Stream; O_NONBLOCK is not needed.
std::unique_ptr<Stream> make_socket_stream(support::Fd socket);

/// Listens at this path, of any length, in place of a socket that was there; mode
/// 0600, O_NONBLOCK. Throws support::SystemError.
support::Fd listen_at(const std::filesystem::path& socket);

}  // namespace berth::agentlink
