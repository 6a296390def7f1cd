#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// A pod as the health gate looks at it. Pure.
namespace berth::environments::workloads {

struct ContainerView {
  enum class Phase { waiting, running, terminated };

  std::string name{};
  std::string image{};
  bool init = false;
  Phase phase = Phase::waiting;
  /// Of the present state: CrashLoopBackOff, ErrImagePull, OOMKilled, ...
  std::string reason{};
  std::string message{};
  int exit_code = 0;
  bool ready = false;
  bool has_readiness_probe = false;
  int restarts = 0;
  /// The end of the run before this one, where there was one.
  bool ended_before = false;
  std::string last_reason{};
  std::string last_message{};
  int last_exit_code = 0;

  bool running() const { return phase == Phase::running; }
};

struct PodView {
  std::string name{};
  std::string uid{};
  std::string owner_kind{};
  std::string owner_uid{};
  /// Of the label controller-revision-hash.
  std::string revision_hash{};
  /// Container -> image, as the pod's spec has it.
  std::map<std::string, std::string> images{};
  std::int64_t created = 0;
  /// Pending, Running, Succeeded, Failed
  std::string phase{};
  /// Evicted, ... ; of the pod as a whole.
  std::string reason{};
  std::string message{};
  bool being_deleted = false;
  bool ready = false;
  /// Of the condition PodScheduled while it is False for want of a fitting node.
  std::string unscheduled{};
  /// Init containers first.
  std::vector<ContainerView> containers{};

  bool ended() const { return phase == "Failed" || phase == "Succeeded"; }
  int restarts() const;
};

PodView read_pod(const nlohmann::json& pod);

}  // namespace berth::environments::workloads
