#include "executor/app/probe_job.hpp"

#include "executor/app/backends.hpp"
#include "executor/core/planner.hpp"
#include "executor/state/attempt.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace berth::app {
namespace {

using core::Finding;
using core::Health;

/// An operator waits for the answer.
constexpr std::chrono::seconds k_connection_timeout{10};
/// A probe that was killed with its doctor ends by itself.
constexpr std::chrono::seconds k_orphan_timeout{60};
constexpr std::chrono::seconds k_longest{300};

/// The settings without what a probe has no use for.
settings::Settings probe_settings(settings::Settings settings, const ProbeOptions& options) {
  core::Policy& policy = settings.policy;
  policy.allowed_images.clear();
  policy.allowed_pull_policies.clear();
  policy.services.clear();
  policy.disable_cache = true;
  policy.connection_timeout = std::min(policy.connection_timeout, k_connection_timeout);
  policy.orphan_timeout = std::min(policy.orphan_timeout, k_orphan_timeout);
  settings.kubernetes.poll_timeout =
      std::min(settings.kubernetes.poll_timeout, options.start_limit);
  return settings;
}

core::JobSpec plan_probe(const settings::Settings& settings, const core::Job& job,
                         const ProbeOptions& options) {
  gitlab::RunnerEnvironment environment;
  environment.tmpdir = options.tmpdir;
  environment.variables = {{"CI_RUNNER_SHORT_TOKEN", "doctor"},
                           {"CI_CONCURRENT_PROJECT_ID", "0"},
                           {"CI_RUNNER_VERSION", options.runner_version}};
  core::JobSpec spec =
      core::plan(job, {}, settings.policy,
                 state::new_identity(environment, settings.state_dir, support::system_clock()));
  spec.build.image = spec.helper.image;
  spec.build.pull_policies = spec.helper.pull_policies;
  spec.deadline = support::unix_seconds() + k_longest.count();
  spec.labels["berth.deadline"] = std::to_string(spec.deadline);
  return spec;
}

class Collected final : public core::OutputSink {
 public:
  void write(std::string_view bytes) override { m_text += bytes; }
  const std::string& text() const { return m_text; }

 private:
  std::string m_text;
};

/// A backend's lines about a job that nobody sees.
class Quiet final : public support::Console {
 public:
  void line(std::string_view) override {}
  void warning(std::string_view text) override { m_warnings.emplace_back(text); }
  const std::vector<std::string>& warnings() const { return m_warnings; }

 private:
  std::vector<std::string> m_warnings;
};

std::string way_to_agents(const core::Sandbox& sandbox) {
  if (sandbox.backend == "kubernetes") return "by exec over a WebSocket";
  return sandbox.values.contains("helper.socket_dir") ? "by their sockets on this host"
                                                      : "by exec through the engine";
}

/// The name that every cluster knows, where pods ask the cluster's DNS.
std::vector<std::string> hosts_of(const settings::Settings& settings, const ProbeOptions& options) {
  std::vector<std::string> hosts = options.hosts;
  const std::string& policy = settings.kubernetes.dns_policy;
  if (settings.policy.backend == "kubernetes" &&
      (policy.empty() || policy.starts_with("cluster"))) {
    hosts.insert(hosts.begin(), "kubernetes.default.svc");
  }
  return hosts;
}

Finding failed(std::string check, const support::Error& error) {
  return {.check = std::move(check),
          .health = Health::failed,
          .text = error.what(),
          .remedy = error.hint()};
}

}  // namespace

std::vector<Finding> examine_by_probe(const settings::Settings& given, const ProbeOptions& options,
                                      support::Console&, std::stop_token stop) {
  const std::string script = probe_script(hosts_of(given, options));
  const settings::Settings settings = probe_settings(given, options);
  std::vector<Finding> findings;
  Quiet quiet;
  core::Job job;
  job.name = "berth doctor";
  job.image = core::Image{};
  job.image->name = "berth/doctor";
  std::unique_ptr<core::Backend> backend;
  core::JobSpec spec;
  try {
    spec = plan_probe(settings, job, options);
    backend = make_backend(spec.backend, settings);
  } catch (const support::Error& error) {
    return {failed("probe", error)};
  }
  std::optional<core::Sandbox> sandbox;
  bool cancelled = false;
  try {
    sandbox = backend->prepare(
        spec,
        {.job = job, .expanded = core::Variables{}, .container_environment = core::Variables{}},
        quiet, stop);
    findings.push_back(
        {.check = "probe", .text = fmt::format("a job of '{}' starts", spec.helper.image)});
    findings.push_back(
        {.check = "exec",
         .text = fmt::format("its agents answer in both containers, {}", way_to_agents(*sandbox))});
    Collected output;
    const std::int64_t before = support::unix_seconds();
    backend->run(spec, *sandbox, {.stage = core::ScriptStage("prepare_script"), .text = script},
                 output, quiet, stop);
    auto seen = read_probe(output.text(), before, support::unix_seconds());
    std::move(seen.begin(), seen.end(), std::back_inserter(findings));
  } catch (const support::Error& error) {
    findings.push_back(failed("probe", error));
  } catch (const support::Cancelled&) {
    cancelled = true;
  }
  for (const std::string& warning : quiet.warnings()) {
    findings.push_back({.check = "probe", .health = Health::warning, .text = warning});
  }
  try {
    const auto report = backend->cleanup(spec, sandbox ? &*sandbox : nullptr, quiet, {});
    for (const std::string& failure : report.failures) {
      findings.push_back({.check = "cleanup",
                          .health = Health::failed,
                          .text = failure,
                          .remedy = "`berth gc` takes it in a few minutes"});
    }
  } catch (const support::Error& error) {
    findings.push_back(failed("cleanup", error));
  }
  if (cancelled) throw support::Cancelled();
  return findings;
}

void remove_probe(const settings::Settings& settings, const std::filesystem::path& tmpdir,
                  support::Console& console) {
  core::JobSpec spec;
  spec.backend = settings.policy.backend;
  spec.tmpdir = tmpdir.string();
  spec.connection_timeout = k_connection_timeout;
  const auto report = make_backend(spec.backend, settings)->cleanup(spec, nullptr, console, {});
  if (!report.failures.empty()) throw support::SystemError(report.failures.front());
}

}  // namespace berth::app
