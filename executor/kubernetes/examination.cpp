#include "executor/kubernetes/examination.hpp"

#include "executor/core/overdue.hpp"
#include "executor/kubernetes/api/server_version.hpp"
#include "executor/kubernetes/connect.hpp"
#include "executor/kubernetes/pod/pod.hpp"
#include "executor/kubernetes/rights.hpp"
#include "executor/sandbox/agent_program.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sys/utsname.h>

namespace berth::kubernetes {
namespace {

using core::Finding;
using core::Health;

/// An operator waits for the answer.
constexpr std::chrono::seconds k_patience{8};
/// Between a look at the server's clock and the agents' deadlines nothing else has
/// room for more.
constexpr std::int64_t k_noted_skew = 5;

Finding failed(std::string check, const support::Error& error) {
  return {.check = std::move(check),
          .health = Health::failed,
          .text = error.what(),
          .remedy = error.hint()};
}

Finding examine_agent(const BackendOptions& options) {
  if (!options.settings.agent_image.empty()) {
    return {.check = "agent",
            .text = fmt::format("comes with the image '{}'", options.settings.agent_image)};
  }
  struct ::utsname machine {};
  const std::string own = ::uname(&machine) == 0 ? machine.machine : "";
  try {
    const std::string architecture = node_architecture(options.settings, own);
    const auto program = sandbox::find_agent_program(options.program_dir, architecture);
    return {.check = "agent",
            .text = fmt::format("'{}' for nodes of {}", program.path.string(), architecture)};
  } catch (const support::Error& error) {
    return failed("agent", error);
  }
}

}  // namespace

Finding examine_clock(std::optional<std::int64_t> server, std::int64_t before, std::int64_t after) {
  if (!server) {
    return {.check = "clock",
            .health = Health::skipped,
            .text = "the server tells no time (no Date header)"};
  }
  // The header has whole seconds: what it says may be one second old.
  const std::int64_t skew = *server + 1 < before ? before - (*server + 1)
                            : *server > after    ? *server - after
                                                 : 0;
  if (skew <= k_noted_skew) {
    return {
        .check = "clock",
        .text = skew == 0 ? "as the server's" : fmt::format("{} s apart from the server's", skew)};
  }
  return {.check = "clock",
          .health = skew > core::k_clock_tolerance ? Health::failed : Health::warning,
          .text = fmt::format("this machine's clock is {} s {} the server's", skew,
                              *server > after ? "behind" : "before"),
          .remedy =
              "have both keep time (chrony, systemd-timesyncd): jobs' deadlines are points in "
              "time"};
}

std::vector<Finding> examine_cluster(const BackendOptions& options, support::Console& console,
                                     std::stop_token stop) {
  std::vector<Finding> findings;
  try {
    const auto client = connect(options.settings, k_patience, options.trace_file, console);
    const std::string name_space = namespace_of(options.settings, *client);
    const std::int64_t before = support::unix_seconds();
    const ServerVersion version = server_version(*client, stop);
    const std::int64_t after = support::unix_seconds();
    findings.push_back({.check = "cluster",
                        .text = fmt::format("Kubernetes {} at {} by {}, namespace '{}'",
                                            version.git_version, client->connection().host(),
                                            client->connection().source, name_space)});
    for (const std::string& warning : client->connection().warnings) {
      findings.push_back({.check = "cluster",
                          .health = Health::warning,
                          .text = warning,
                          .remedy = "name the cluster's CA in the kubeconfig or as `ca_file`"});
    }
    findings.push_back(examine_clock(version.date, before, after));
    auto rights = examine_rights(*client, name_space, needed_rights(options.settings), stop);
    std::move(rights.begin(), rights.end(), std::back_inserter(findings));
  } catch (const support::Error& error) {
    findings.push_back(failed("cluster", error));
  }
  findings.push_back(examine_agent(options));
  return findings;
}

}  // namespace berth::kubernetes
