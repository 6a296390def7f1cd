#pragma once

#include "executor/docker/engine/engine.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace berth::docker {

/// How a container that no longer runs came to its end, as the engine tells it.
struct ContainerEnd {
  /// False: the engine knows no such container (somebody removed it).
  bool exists = false;
  bool started = false;
  bool oom_killed = false;
  int exit_code = 0;
  /// The engine's words where its first process could not be started.
  std::string error{};
  /// Last lines of its log, without trailing line ends; may be empty.
  std::string log{};
  bool operator==(const ContainerEnd&) const = default;
};

/// Asks the engine; nothing while the container runs (or is about to).
std::optional<ContainerEnd> find_end(Engine& engine, const std::string& id, std::stop_token stop);

/// "ended with exit code 1", "ended with exit code 137: out of memory",
/// "was removed by somebody else", ... One line, for a sentence after the
/// container's name. Pure.
std::string explain(const ContainerEnd& end);

/// The log, each line indented, with a line of introduction; empty where there
/// is no log. Begins with a line end. Pure.
std::string quote_log(const std::string& log);

/// The last lines of a container's log, cut to what a job log can bear; empty
/// where it cannot be had: a report must not fail for want of its appendix.
std::string log_tail(Engine& engine, const std::string& id, std::stop_token stop);

}  // namespace berth::docker
