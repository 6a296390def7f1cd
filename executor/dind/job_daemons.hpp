#pragma once

#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/dind/daemon.hpp"
#include "executor/dind/recognition.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Which of a job's services are Docker daemons, and what that changes, whatever backend
/// starts them. Pure.
namespace berth::dind {

struct JobDaemon {
  Daemon plan{};
  /// Where it keeps its layers.
  std::string data_root{};
  /// An alias that clients look for and the service does not have yet; empty: none.
  std::string further_alias{};
};

struct JobDaemons {
  /// As the job's services; empty: none.
  std::vector<std::optional<JobDaemon>> services{};
  /// A spare daemon, where the job has brought one of its own: it is not started.
  std::optional<std::size_t> left_out{};
  /// For the build container: how its clients find the first one.
  std::vector<std::pair<std::string, std::string>> client{};
  /// For the job log; empty: nothing.
  std::string warning{};

  const JobDaemon* find(std::size_t service) const;
  bool any() const;
};

/// `facts` of each service. The first daemon is the one that the job's clients find.
JobDaemons find_daemons(const std::vector<core::ServiceSpec>& services,
                        const std::vector<ServiceFacts>& facts, const core::Variables& expanded,
                        const NetworkNeeds& network);

}  // namespace berth::dind
