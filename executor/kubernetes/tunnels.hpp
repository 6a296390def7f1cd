#pragma once

#include "executor/core/job_spec.hpp"
#include "executor/core/stage.hpp"
#include "executor/support/fd.hpp"

#include <chrono>
#include <filesystem>
#include <string>

/// One exec for each of a pod's two agents, kept for all stages of the job by a
/// program of its own, `berth-tunnel`: an exec costs about 80 ms, and each stage is a
/// new process. Nothing depends on it: where its sockets do not answer, a stage makes
/// an exec for itself. Execs they are because a forwarded port could be heard by the
/// pod's other containers, and what an attached process says is kept in the node's logs.
///
///     <TMPDIR>/tunnel/helper/agent.sock, build/agent.sock   as a local agent's
///     <TMPDIR>/tunnel/end/end.sock                          a connection ends it
namespace berth::kubernetes {

/// What berth-tunnel is told on its standard input, as JSON in one line.
struct TunnelPlan {
  /// Absolute; empty: the usual places.
  std::filesystem::path settings_file;
  std::string name_space;
  std::string pod;
  /// Without any use.
  std::chrono::milliseconds idle{};
  bool operator==(const TunnelPlan&) const = default;
};

std::string to_line(const TunnelPlan& plan);
/// Throws support::SystemError.
TunnelPlan parse_tunnel_plan(std::string_view line);

/// prepare's end of it: the program ends with this object, unless it is kept.
class Tunnels {
 public:
  /// Makes the sockets and starts the program, which lies beside this one.
  /// Throws support::SystemError.
  Tunnels(const std::filesystem::path& tmpdir, const std::filesystem::path& program_dir,
          const TunnelPlan& plan);

  /// The pod is ready: it goes on without us.
  void keep();

 private:
  support::Fd m_line;
};

/// Where an agent's socket is, for agentlink::make_socket_transport.
std::filesystem::path tunnel_socket_dir(const std::filesystem::path& tmpdir,
                                        core::ContainerRole role);

/// Ends the program of this attempt where there is one; waits for it a moment.
void end_tunnels(const std::filesystem::path& tmpdir) noexcept;

}  // namespace berth::kubernetes
