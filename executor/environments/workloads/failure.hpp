#pragma once

#include "executor/environments/workloads/workload.hpp"

#include <string>
#include <string_view>

namespace berth::environments::workloads {

/// Why a deployment does not become healthy.
enum class Trouble {
  image_pull,         ///< the image does not exist, or its registry cannot be reached
  pull_denied,        ///< the registry wants a login
  crash_loop,         ///< a container ends again and again
  out_of_memory,      ///< a container is killed for its memory again and again
  cannot_start,       ///< a container's first process cannot be started
  configuration,      ///< a Secret, ConfigMap or key that the pod names is not there
  quota,              ///< the namespace's quota has no room
  refused,            ///< the API server admits no such pods
  unschedulable,      ///< no node fits
  readiness,          ///< containers run and do not become ready
  job_failed,         ///< a Job has failed
  immutable_job,      ///< a finished Job stands in the way of its new version
  paused,             ///< a Deployment is paused
  progress_deadline,  ///< progressDeadlineSeconds are over
  timeout,            ///< the gate's own time is over
  gone,               ///< the workload was deleted meanwhile
  probe,              ///< the HTTP probe does not get the answer it wants
  unstable,           ///< it became healthy, and did not stay so
};

/// "image_pull"
std::string_view to_string(Trouble trouble);

struct Failure {
  Trouble trouble = Trouble::timeout;
  Id workload{};
  /// One line: the cause, as a person would tell it.
  std::string text{};
  /// What to do; may be empty.
  std::string hint{};
  /// Whose last log lines tell more; empty: nobody's.
  std::string pod{};
  std::string container{};
  /// The log of its run before this one.
  bool previous = false;
};

}  // namespace berth::environments::workloads
