#include "executor/docker/docker_backend.hpp"

#include "executor/agentlink/session.hpp"
#include "executor/agentlink/stage_request.hpp"
#include "executor/dind/daemon.hpp"
#include "executor/docker/agent_access.hpp"
#include "executor/docker/connect.hpp"
#include "executor/docker/container_end.hpp"
#include "executor/docker/daemons.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/docker/forget_attempt.hpp"
#include "executor/docker/host_state.hpp"
#include "executor/docker/names.hpp"
#include "executor/docker/preparation.hpp"
#include "executor/docker/removal.hpp"
#include "executor/docker/sandbox_values.hpp"
#include "executor/docker/sweep.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>

#include <sstream>
#include <thread>

namespace berth::docker {
namespace {

/// Between two looks for what the engine still finishes for a dead client: its
/// slowest request, a container's start, takes a fifth of this.
constexpr std::chrono::milliseconds k_straggler_pause{400};

std::string value(const core::Sandbox& sandbox, std::string_view key) {
  const auto found = sandbox.values.find(std::string(key));
  return found == sandbox.values.end() ? std::string() : found->second;
}

class DockerBackend final : public core::Backend {
 public:
  explicit DockerBackend(BackendOptions options)
      : m_options(std::move(options)),
        m_engine(engine_address(m_options), engine_options(m_options)) {}

  core::Sandbox prepare(const core::JobSpec& spec, const core::PrepareInput& input,
                        core::Console& console, std::stop_token stop) override {
    const HostState state(m_options.state_dir);
    const std::string host = state.identity(spec.tmpdir);
    // Beside the job's own calls; its end is waited for, so that what was left
    // behind is gone when a job has been prepared.
    unsigned swept = 0;
    std::jthread sweeper([&, forward = stop](const std::stop_token& own) {
      std::stop_source either;
      const std::stop_callback caller(forward, [&either] { either.request_stop(); });
      const std::stop_callback ours(own, [&either] { either.request_stop(); });
      try {
        swept = sweep(m_engine, state, host, spec.attempt, spec.helper.image,
                      support::unix_seconds(), either.get_token());
      } catch (const support::Cancelled&) {  // the caller notices for itself
      } catch (const std::exception& error) {
        // What is left over is no reason to fail this job.
        support::log(support::LogLevel::warn, std::string("sweep: ") + error.what());
      }
    });
    core::Sandbox sandbox =
        Preparation(m_engine, state, m_options, spec, input, console, stop).run();
    sweeper.join();
    if (swept > 0) console.line(fmt::format("removed {} leftovers of dead jobs", swept));
    if (stop.stop_requested()) throw support::Cancelled();
    return sandbox;
  }

  core::ExitStatus run(const core::JobSpec& spec, const core::Sandbox& sandbox,
                       const core::Script& script, core::OutputSink& output, core::Console& console,
                       std::stop_token stop) override;

  core::CleanupReport cleanup(const core::JobSpec& spec, const core::Sandbox* sandbox,
                              core::Console& console, std::stop_token stop) override;

 private:
  void tell_of_ended_daemons(const core::JobSpec& spec, const core::Sandbox& sandbox,
                             core::Console& console, const std::stop_token& stop);
  static AttemptObjects known_objects(const core::JobSpec& spec, const core::Sandbox& sandbox);

  BackendOptions m_options;
  Engine m_engine;
};

core::ExitStatus DockerBackend::run(const core::JobSpec& spec, const core::Sandbox& sandbox,
                                    const core::Script& script, core::OutputSink& output,
                                    core::Console& console, std::stop_token stop) {
  const core::ContainerRole role = script.stage.container();
  const bool helper = role == core::ContainerRole::helper;
  const AgentContainer container{
      .role = role,
      .id = value(sandbox, helper ? k_value_helper_id : k_value_build_id),
      .image = helper ? spec.helper.image : spec.build.image,
      // Whoever could use the socket has tried: through the engine, then.
      .socket_dir = {}};
  const auto request = agentlink::make_stage_request(spec, sandbox, script);
  const auto transport = make_transport(m_engine, container);
  const agentlink::SessionLimits limits{.connection_timeout = spec.connection_timeout};
  try {
    const core::ExitStatus status = agentlink::run_stage(*transport, request, output, limits, stop);
    if (agentlink::asks_why(sandbox, script, status))
      tell_of_ended_daemons(spec, sandbox, console, stop);
    return status;
  } catch (const agentlink::AgentLost& lost) {
    const auto end = find_end(m_engine, container.id, stop);
    if (!end) throw;
    return outcome_of_end(container, *end, lost.start_sent(), console);
  }
}

/// What a client of a daemon that has died says of it helps nobody.
void DockerBackend::tell_of_ended_daemons(const core::JobSpec& spec, const core::Sandbox& sandbox,
                                          core::Console& console, const std::stop_token& stop) {
  std::istringstream indexes(value(sandbox, agentlink::k_value_ask_why));
  for (std::size_t index = 0; indexes >> index && index < spec.services.size();) {
    try {
      const auto end = find_end(m_engine, service_name(spec, index), stop);
      if (!end) continue;
      console.warning(dind::ended_words(spec.services[index].container.image,
                                        sandbox::explain(*end) + sandbox::quote_log(end->log)));
    } catch (const support::Error& error) {
      // How the script ended is known.
      support::log(support::LogLevel::info, error.what());
    }
  }
}

AttemptObjects DockerBackend::known_objects(const core::JobSpec& spec,
                                            const core::Sandbox& sandbox) {
  AttemptObjects objects;
  objects.containers = {helper_name(spec), build_name(spec)};
  for (std::size_t i = 0; i < spec.services.size(); ++i) {
    objects.containers.push_back(service_name(spec, i));
  }
  const std::string network = value(sandbox, k_value_network_id);
  if (!network.empty()) objects.networks.push_back(network);
  for (const core::VolumeSpec& volume : spec.volumes) {
    if (volume.per_job) objects.volumes.push_back(volume.name);
  }
  if (value(sandbox, k_value_helper_socket_dir).empty()) {
    objects.volumes.push_back(lease_volume_name(spec));
  }
  if (!value(sandbox, k_value_daemon_certificates).empty()) {
    objects.volumes.push_back(server_certificates_volume(spec));
    objects.volumes.push_back(client_certificates_volume(spec));
  }
  return objects;
}

core::CleanupReport DockerBackend::cleanup(const core::JobSpec& spec, const core::Sandbox* sandbox,
                                           core::Console&, std::stop_token stop) {
  const HostState state(m_options.state_dir);
  const std::string host = state.identity(spec.tmpdir);
  core::CleanupReport report;
  if (sandbox != nullptr) {
    report = remove_objects(m_engine, known_objects(spec, *sandbox), stop);
  } else if (!spec.tmpdir.empty()) {
    const LabelFilter labels = {fmt::format("{}={}", k_label_tmpdir, spec.tmpdir),
                                fmt::format("{}={}", k_label_host, host)};
    report = remove_by_labels(m_engine, labels, k_straggler_pause, stop);
  }
  // What could not be removed stays on record for the next sweep.
  if (!report.failures.empty()) return report;
  std::vector<std::string> attempts = state.attempts_of(host, spec.tmpdir);
  if (!spec.attempt.empty()) attempts.push_back(spec.attempt);
  for (const std::string& attempt : attempts) {
    for (std::string& failure :
         forget_attempt(m_engine, state, host, attempt, spec.helper.image, stop)) {
      report.failures.push_back(std::move(failure));
    }
  }
  return report;
}

}  // namespace

std::unique_ptr<core::Backend> make_backend(BackendOptions options) {
  return std::make_unique<DockerBackend>(std::move(options));
}

}  // namespace berth::docker
