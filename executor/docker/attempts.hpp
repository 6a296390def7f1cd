#pragma once

#include "executor/core/backend.hpp"
#include "executor/core/upkeep.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/docker/host_state.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

/// What an engine holds of each attempt, and whether the attempt is over: for the
/// sweep of a preparation and for `berth gc`.
namespace berth::docker {

/// What the engine holds of one attempt, as far as the decision needs it.
struct AttemptTraces {
  std::string attempt;
  std::string tmpdir;
  /// ContainerState::status of each container.
  std::vector<std::string> states{};
  std::vector<std::string> container_ids{};
  std::string host{};
  /// Seconds since the epoch; 0: unknown.
  std::int64_t deadline = 0;
  /// Kind and name of every object; no reasons yet.
  std::vector<core::Garbage> objects{};
};

/// Of the objects with these labels; attempts in the order of their ids.
std::vector<AttemptTraces> list_attempts(Engine& engine, const LabelFilter& labels,
                                         const std::stop_token& stop);

/// Whether TMPDIR is gone: then the runner has removed it behind cleanup, or
/// a reboot has. Otherwise "maybe" where all containers have ended: the agents
/// end them on their own when no driver was heard of for long. Pure.
enum class Verdict { alive, dead, ended };
Verdict judge(const AttemptTraces& traces,
              const std::function<bool(const std::string&)>& directory_exists);

/// Whether its containers ended a minute ago or longer: until then an ended one may
/// still be wanted by its own job's stages.
bool settled(Engine& engine, const AttemptTraces& traces, std::int64_t now,
             const std::stop_token& stop);

/// Removes all that the engine and this host hold of the attempt. Records stay where
/// an object could not be removed. helper_image: see forget_attempt.hpp.
core::CleanupReport remove_attempt(Engine& engine, const HostState& state,
                                   const AttemptTraces& traces, const std::string& helper_image,
                                   const std::stop_token& stop);

}  // namespace berth::docker
