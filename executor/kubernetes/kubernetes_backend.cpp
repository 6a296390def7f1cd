#include "executor/kubernetes/kubernetes_backend.hpp"

#include "executor/agentlink/relayed_transport.hpp"
#include "executor/agentlink/session.hpp"
#include "executor/agentlink/stage_request.hpp"
#include "executor/dind/daemon.hpp"
#include "executor/kubernetes/api/exec_transport.hpp"
#include "executor/kubernetes/causes.hpp"
#include "executor/kubernetes/connect.hpp"
#include "executor/kubernetes/pod/daemons.hpp"
#include "executor/kubernetes/pod/names.hpp"
#include "executor/kubernetes/pod/overwrites.hpp"
#include "executor/kubernetes/pod_watch.hpp"
#include "executor/kubernetes/preparation.hpp"
#include "executor/kubernetes/removal.hpp"
#include "executor/kubernetes/run_watch.hpp"
#include "executor/kubernetes/sandbox_values.hpp"
#include "executor/sandbox/container_end.hpp"
#include "executor/sandbox/job_container.hpp"
#include "executor/state/host_id.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <thread>

namespace berth::kubernetes {
namespace {

using std::chrono::milliseconds;

/// Between two looks for what the server still finishes for a dead client.
constexpr milliseconds k_straggler_pause{400};
/// How long after an agent is lost the node may take to say why.
constexpr std::chrono::seconds k_evidence_wait{5};
/// The same once the container is seen to have ended, until its pod's reason is there.
constexpr std::chrono::seconds k_reason_wait{2};

std::string value(const core::Sandbox& sandbox, std::string_view key) {
  const auto found = sandbox.values.find(std::string(key));
  return found == sandbox.values.end() ? std::string() : found->second;
}

/// One container of a job's pod, as a stage sees it.
struct StagePlace {
  std::string name_space;
  std::string pod;
  std::string uid;
  core::ContainerRole role;
  std::string image;
};

/// The pod's own end, where only its events tell of it.
std::optional<Cause> ask_events(Client& client, const StagePlace& place,
                                const std::stop_token& stop) {
  try {
    return cause_of_events(
        parse_pod_events(client.list(resources::k_events, place.name_space,
                                     {.field = "involvedObject.uid=" + place.uid}, stop)));
  } catch (const support::Error&) {  // what the pod itself told stands
    return std::nullopt;
  }
}

/// Why the agent is lost, as far as the pod tells within a few seconds.
std::optional<Cause> find_cause(Client& client, const StagePlace& place,
                                const std::optional<PodState>& seen, const std::stop_token& stop) {
  const std::string container = container_name(place.role);
  const auto object = client.find(resources::k_pods, place.name_space, place.pod, stop);
  std::optional<PodState> pod;
  if (object) pod = parse_pod_state(*object);
  // A pod that is gone was ended for something, which was to be seen before.
  if (!pod && seen) {
    if (auto cause = cause_of_end(seen, place.uid, container)) {
      const auto told = cause->tentative ? ask_events(client, place, stop) : std::nullopt;
      return told ? told : cause;
    }
  }
  auto cause = cause_of_end(pod, place.uid, container);
  if ((cause && !cause->tentative) || !object) return cause;
  PodWatch watch(client, place.name_space, *object);
  const auto now = std::chrono::steady_clock::now;
  auto until = now() + (cause ? k_reason_wait : k_evidence_wait);
  const auto settled = [&] { return cause && (!watch.state() || watch.state()->ended()); };
  while (!settled() && watch.next(until, stop)) {
    auto found = cause_of_end(watch.state() ? watch.state() : std::optional(watch.last()),
                              place.uid, container);
    if (!found && !watch.state()) found = cause_of_end(std::nullopt, place.uid, container);
    if (!found) continue;
    if (!found->tentative) return found;
    if (!cause) until = std::min(until, now() + k_reason_wait);
    cause = std::move(found);
  }
  if (cause) {
    if (auto told = ask_events(client, place, stop)) return told;
  }
  return cause;
}

/// What a client of a daemon that has died says of it helps nobody. `services`: index and
/// container's name of each, in turn.
void tell_of_ended_daemons(Client& client, const core::JobSpec& spec, const StagePlace& place,
                           const std::string& services, core::Console& console,
                           const std::stop_token& stop) {
  try {
    const auto object = client.find(resources::k_pods, place.name_space, place.pod, stop);
    if (!object) return;
    const PodState pod = parse_pod_state(*object);
    std::istringstream known(services);
    std::string name;
    for (std::size_t index = 0; known >> index >> name && index < spec.services.size();) {
      const ContainerState* state = pod.find(name);
      if (state == nullptr || !state->terminated()) continue;
      const std::string log = client.logs(place.name_space, place.pod,
                                          {.container = name,
                                           .tail_lines = sandbox::k_log_lines,
                                           .max_bytes = sandbox::k_log_bytes},
                                          stop);
      console.warning(
          dind::ended_words(spec.services[index].container.image,
                            explain(*state) + sandbox::quote_log(sandbox::trimmed_log(log))));
    }
  } catch (const support::Error& error) {  // how the script ended is known
    support::log(support::LogLevel::info, error.what());
  }
}

class KubernetesBackend final : public core::Backend {
 public:
  explicit KubernetesBackend(BackendOptions options) : m_options(std::move(options)) {}

  core::Sandbox prepare(const core::JobSpec& spec, const core::PrepareInput& input,
                        core::Console& console, std::stop_token stop) override;
  core::ExitStatus run(const core::JobSpec& spec, const core::Sandbox& sandbox,
                       const core::Script& script, core::OutputSink& output, core::Console& console,
                       std::stop_token stop) override;
  core::CleanupReport cleanup(const core::JobSpec& spec, const core::Sandbox* sandbox,
                              core::Console& console, std::stop_token stop) override;

 private:
  BackendOptions m_options;
};

core::Sandbox KubernetesBackend::prepare(const core::JobSpec& spec, const core::PrepareInput& input,
                                         core::Console& console, std::stop_token stop) {
  const JobSettings job = apply_overwrites(m_options.settings, input.expanded);
  for (const std::string& note : job.notes) console.line(note);
  const auto client = connect(job.settings, spec.connection_timeout, m_options.trace_file, console);
  for (const std::string& warning : client->connection().warnings) console.warning(warning);
  const PlannedDaemons planned =
      plan_daemons(spec, input.job, input.expanded, input.container_environment);
  if (const std::string& warning = planned.daemons.found.warning; !warning.empty())
    console.warning(warning);
  const Placement place{.client = *client,
                        .settings = job.settings,
                        .name_space = namespace_of(job.settings, *client),
                        .host = state::host_id(m_options.state_dir, spec.tmpdir),
                        .daemons = planned.daemons};
  // Beside the job's own calls; its end is waited for, so that what was left
  // behind is gone when a job has been prepared.
  unsigned swept = 0;
  std::jthread sweeper([&, forward = stop](const std::stop_token& own) {
    std::stop_source either;
    const std::stop_callback caller(forward, [&either] { either.request_stop(); });
    const std::stop_callback ours(own, [&either] { either.request_stop(); });
    try {
      swept = sweep(*client, place.name_space, place.host, spec.attempt,
                    deletion_grace(job.settings), support::unix_seconds(), either.get_token());
    } catch (const support::Cancelled&) {  // the caller notices for itself
    }
  });
  core::Sandbox sandbox = Preparation(place, m_options, planned.spec, input, console, stop).run();
  sweeper.join();
  if (swept > 0) console.line(fmt::format("removed {} pods of dead jobs", swept));
  if (stop.stop_requested()) throw support::Cancelled();
  return sandbox;
}

core::ExitStatus KubernetesBackend::run(const core::JobSpec& spec, const core::Sandbox& sandbox,
                                        const core::Script& script, core::OutputSink& output,
                                        core::Console& console, std::stop_token stop) {
  const JobSettings job = apply_overwrites(m_options.settings, m_options.overwrites);
  const auto client = connect(job.settings, spec.connection_timeout, m_options.trace_file, console);
  const core::ContainerRole role = script.stage.container();
  const StagePlace place{
      .name_space = value(sandbox, k_value_namespace),
      .pod = value(sandbox, k_value_pod_name),
      .uid = value(sandbox, k_value_pod_uid),
      .role = role,
      .image = role == core::ContainerRole::helper ? spec.helper.image : spec.build.image};
  const auto request = agentlink::make_stage_request(spec, sandbox, script);
  auto transport = make_exec_transport(*client, {.name_space = place.name_space,
                                                 .pod = place.pod,
                                                 .container = container_name(role),
                                                 .uid = place.uid});
  if (const std::string sockets = agentlink::socket_dir(sandbox, script); !sockets.empty()) {
    transport = std::make_unique<agentlink::RelayedTransport>(sockets, std::move(transport));
  }
  // A stage that is taken up has been followed for that long already.
  const auto unwatched = script.resume ? milliseconds(0) : k_short_stage;
  const RunWatch watch(*client, spec, place.name_space, place.pod, place.uid, console, unwatched);
  const agentlink::SessionLimits limits{.connection_timeout = spec.connection_timeout};
  try {
    const core::ExitStatus status = agentlink::run_stage(*transport, request, output, limits, stop);
    if (agentlink::asks_why(sandbox, script, status)) {
      tell_of_ended_daemons(*client, spec, place, value(sandbox, agentlink::k_value_ask_why),
                            console, stop);
    }
    return status;
  } catch (const agentlink::AgentLost& lost) {
    auto cause = find_cause(*client, place, watch.last(), stop);
    if (!cause) throw;
    const std::string subject = sandbox::called({.role = role, .image = place.image});
    if (cause->out_of_memory && lost.start_sent() && role == core::ContainerRole::build) {
      console.warning(fmt::format("{} {}; {}", subject, cause->text, cause->hint));
      return {.how = core::Signalled{.number = SIGKILL}, .oom_kills = 1};
    }
    // Before its script began, whatever was the job's own doing is no result of it.
    if (!lost.start_sent()) cause->fault = support::Fault::infrastructure;
    throw_cause(*cause, subject,
                lost.start_sent() ? " while its script ran" : " before its script started");
  }
}

core::CleanupReport KubernetesBackend::cleanup(const core::JobSpec& spec,
                                               const core::Sandbox* sandbox, core::Console& console,
                                               std::stop_token stop) {
  if (!spec.tmpdir.empty()) end_tunnels(spec.tmpdir);
  settings::Kubernetes settings = m_options.settings;
  try {
    settings = apply_overwrites(m_options.settings, m_options.overwrites).settings;
  } catch (const support::JobError&) {  // prepare has refused it, and made nothing
  }
  const milliseconds patience =
      std::min<milliseconds>(spec.connection_timeout, settings.cleanup_resources_timeout);
  const auto client = connect(settings, patience, m_options.trace_file, console);
  const auto grace = deletion_grace(settings);
  if (sandbox != nullptr) {
    return remove_pod(*client, value(*sandbox, k_value_namespace),
                      value(*sandbox, k_value_pod_name), value(*sandbox, k_value_pod_uid), grace,
                      stop);
  }
  if (spec.tmpdir.empty()) return {};
  const std::string host = state::host_id(m_options.state_dir, spec.tmpdir);
  return remove_by_labels(*client, namespace_of(settings, *client),
                          tmpdir_selector(host, spec.tmpdir), grace, k_straggler_pause, stop);
}

}  // namespace

std::unique_ptr<core::Backend> make_backend(BackendOptions options) {
  return std::make_unique<KubernetesBackend>(std::move(options));
}

}  // namespace berth::kubernetes
