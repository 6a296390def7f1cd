#pragma once

#include "executor/core/job.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// Whether a job's services share one network namespace with it, as in a pod. Pure.
namespace berth::docker {

/// A service and the ports it is known to want.
struct PortUser {
  /// As the job's author wrote it.
  std::string image{};
  /// The last name it answers to; may be empty.
  std::string alias{};
  std::vector<std::uint16_t> ports{};
};

/// Ports of `localhost:<port>`, `127.0.0.1:<port>` and `[::1]:<port>` in the values of
/// the job's own variables (not in GitLab's: CI_*, GITLAB_*).
std::vector<std::uint16_t> local_ports(const core::Job& job, const core::Variables& expanded);

/// Whether one of the services wants one of the ports.
bool wants_any(const std::vector<PortUser>& services, const std::vector<std::uint16_t>& ports);

/// Throws JobError where two services want one port: in one namespace only one of
/// them can have it. Names both.
void require_ports_apart(const std::vector<PortUser>& services);

}  // namespace berth::docker
