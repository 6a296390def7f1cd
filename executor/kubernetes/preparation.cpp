#include "executor/kubernetes/preparation.hpp"

#include "executor/agentlink/stage_request.hpp"
#include "executor/credentials/job_logins.hpp"
#include "executor/gitlab/container_environment.hpp"
#include "executor/kubernetes/event_watch.hpp"
#include "executor/kubernetes/meetings.hpp"
#include "executor/kubernetes/pod/job_secret.hpp"
#include "executor/kubernetes/removal.hpp"
#include "executor/kubernetes/run_watch.hpp"
#include "executor/kubernetes/sandbox_values.hpp"
#include "executor/sandbox/container_end.hpp"
#include "executor/sandbox/job_container.hpp"
#include "executor/sandbox/secret_delivery.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::kubernetes {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// A pod with its images on the node runs before: only slow starts are explained
/// by events.
constexpr milliseconds k_slow_start{1500};
/// How often Startup is asked for what only time changes.
constexpr milliseconds k_tick{1000};
constexpr support::Backoff k_quota_backoff{.first = milliseconds(1000), .max = milliseconds(5000)};

}  // namespace

Preparation::Preparation(const Placement& place, const BackendOptions& options,
                         const core::JobSpec& spec, const core::PrepareInput& input,
                         core::Console& console, std::stop_token stop)
    : m_place(place),
      m_options(options),
      m_spec(spec),
      m_input(input),
      m_console(console),
      m_stop(std::move(stop)),
      m_containers(planned_containers(spec, input.job)),
      m_pull_attempts(m_containers.size(), 0) {}

core::Sandbox Preparation::run() {
  m_logins = logins_of_images(
      m_spec, credentials::load_job_logins(m_input, m_options.home, m_console, m_stop));
  m_agent = plan_agent(m_place.settings, m_options.program_dir);
  const auto patience = m_place.settings.poll_timeout;
  create_pod(Clock::now() + patience);
  start_tunnels();
  // An API server that was away has taken nothing of the pod's time.
  bring_up(Clock::now() + patience);
  arrange_checkout();
  await_services();
  if (!m_tunnels_work) m_tunnels.reset();
  if (m_tunnels) m_tunnels->keep();
  return result();
}

PodInputs Preparation::pod_inputs() const {
  PodInputs inputs{.settings = m_place.settings,
                   .expanded = m_input.expanded,
                   .container_environment = m_input.container_environment,
                   .host = m_place.host,
                   .now = support::unix_seconds(),
                   .architecture = m_agent.architecture,
                   .agent_config_map = m_agent.config_map,
                   .registry_logins = !m_logins.all().empty(),
                   .memory = sandbox::memory_directories(m_input.secrets),
                   .pull_attempts = m_pull_attempts,
                   .daemons = &m_place.daemons};
  for (const core::ServiceSpec& service : m_spec.services) {
    inputs.services.push_back({.own = core::own_variables(m_input, service)});
  }
  return inputs;
}

json Preparation::create_within_quota(const json& body, Clock::time_point until) {
  bool told = false;
  for (unsigned attempt = 1;; ++attempt) {
    try {
      return m_place.client.create(resources::k_pods, m_place.name_space, body, m_stop);
    } catch (const ApiError& error) {
      if (!error.is_quota()) throw;
      if (!told) m_console.line("waiting for room in the quota: " + error.server_text());
      told = true;
      if (Clock::now() >= until) {
        throw support::SystemError(
            fmt::format("{}; no room came within {} s", error.what(),
                        m_place.settings.poll_timeout.count()),
            "raise the namespace's quota, or let fewer jobs run at once (`concurrent`)");
      }
    }
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
    const auto wait = support::delay(k_quota_backoff, attempt, support::random_unit());
    if (!support::sleep_for(std::clamp(wait, milliseconds(1), std::max(left, milliseconds(1))),
                            m_stop)) {
      throw support::Cancelled();
    }
  }
}

void Preparation::create_pod(Clock::time_point until) {
  const PodInputs inputs = pod_inputs();
  std::vector<std::string> notes;
  const json body = make_pod(m_spec, inputs, notes);
  // The same each time the pod is made.
  if (!m_notes_told) {
    for (const std::string& note : notes) m_console.warning(note);
  }
  m_notes_told = true;
  const json pod = create_within_quota(body, until);
  m_watch.emplace(m_place.client, m_place.name_space, pod);
  m_uid = m_watch->last().uid;
  // While the pod starts, and before it is given anything secret.
  if (!std::exchange(m_agent_delivered, true))
    deliver_agent(m_place.client, m_place.name_space, m_agent, KnownMaps(m_options.state_dir),
                  m_stop);
  if (!needs_secret(m_spec, inputs)) return;
  m_place.client.create(resources::k_secrets, m_place.name_space,
                        job_secret(m_spec, inputs, m_logins, m_uid), m_stop);
  try {
    m_place.client.patch(resources::k_pods, m_place.name_space, pod_name(m_spec),
                         remove_gate_patch(pod), {.type = PatchType::json}, m_stop);
  } catch (const ApiError& error) {
    // Carried out, and its reply lost: what the patch tests for is gone by now.
    if (!error.repeated() || !error.invalid()) throw;
    const json now =
        m_place.client.get(resources::k_pods, m_place.name_space, pod_name(m_spec), m_stop);
    if (!remove_gate_patch(now).empty()) throw;
  }
}

void Preparation::start_tunnels() {
  if (!m_options.tunnels || m_spec.tmpdir.empty()) return;
  try {
    m_tunnels.emplace(m_spec.tmpdir, m_options.program_dir,
                      TunnelPlan{.settings_file = m_options.settings_file,
                                 .name_space = m_place.name_space,
                                 .pod = pod_name(m_spec),
                                 .idle = m_spec.orphan_timeout});
  } catch (const support::Error& error) {  // stages make execs of their own
    support::log(support::LogLevel::warn, error.what());
  }
}

std::string Preparation::log_of(const std::string& container) const {
  try {
    return sandbox::trimmed_log(m_place.client.logs(m_place.name_space, pod_name(m_spec),
                                                    {.container = container,
                                                     .tail_lines = sandbox::k_log_lines,
                                                     .max_bytes = sandbox::k_log_bytes},
                                                    m_stop));
  } catch (const support::Error&) {
    return {};
  }
}

void Preparation::fail(const Cause& cause) {
  std::string log;
  for (const PlannedContainer& container : m_containers) {
    const ContainerState* state =
        m_watch->state() ? m_watch->state()->find(container.name) : nullptr;
    const bool ran = state != nullptr && state->terminated() && !state->could_not_start();
    if (ran && container.kind != PlannedContainer::Kind::service) log = log_of(container.name);
  }
  throw_cause(cause, {}, sandbox::quote_log(log));
}

bool Preparation::use_next_policy(std::size_t container) {
  const core::ContainerSpec& planned = container == 0   ? m_spec.build
                                       : container == 1 ? m_spec.helper
                                                        : m_spec.services[container - 2].container;
  std::size_t& attempt = m_pull_attempts[container];
  if (attempt + 1 >= planned.pull_policies.size()) return false;
  m_console.line(fmt::format("cannot get image '{}' with pull policy '{}', trying '{}'",
                             planned.image, planned.pull_policies[attempt],
                             planned.pull_policies[attempt + 1]));
  ++attempt;
  return true;
}

void Preparation::remove_and_await_gone(Clock::time_point until) {
  const auto report =
      remove_pod(m_place.client, m_place.name_space, pod_name(m_spec), m_uid, 0, m_stop);
  if (!report.failures.empty()) throw support::SystemError(report.failures.front());
  while (m_watch->state()) {
    if (!m_watch->next(until, m_stop) && Clock::now() >= until) {
      throw support::SystemError("a pod whose image cannot be pulled does not go away");
    }
  }
}

void Preparation::bring_up(Clock::time_point until) {
  while (!come_up(until)) {
    remove_and_await_gone(until);
    create_pod(until);
  }
}

/// False: an image cannot be had, and has another pull policy to be tried.
bool Preparation::come_up(Clock::time_point until) {
  std::stop_source wake;
  const std::stop_callback forward(m_stop, [&wake] { wake.request_stop(); });
  Meetings meetings([this](auto role, const std::stop_token& stop) { meet(role, stop); },
                    [&wake] { wake.request_stop(); });
  const auto runs = [&meetings](std::string_view container) {
    for (const core::ContainerRole role : k_agent_roles) {
      if (container_name(role) == container) meetings.begin(role);
    }
  };
  std::optional<EventWatch> events;
  if (m_place.settings.print_pod_warning_events)
    events.emplace(m_place.client, m_place.name_space, m_uid, runs);
  Startup startup(m_containers, m_spec.pull_retry_timeout);
  const Clock::time_point slow = Clock::now() + k_slow_start;
  for (;;) {
    const Clock::time_point now = Clock::now();
    const bool explain = events && now >= slow && !m_watch->state()->gated;
    const Startup::Step step =
        startup.look(m_watch->state(), explain ? events->so_far() : std::vector<PodEvent>{}, now);
    for (const std::string& line : step.lines) m_console.line(line);
    if (step.pull_failed && use_next_policy(*step.pull_failed)) return false;
    if (step.failure) fail(*step.failure);
    for (const ContainerState& container : m_watch->state()->containers) {
      if (container.running()) runs(container.name);
    }
    const bool met = meetings.done();
    if (met && step.running) return true;
    if (!step.running && now >= until) {
      const std::string& what = startup.waiting_for();
      throw support::SystemError(
          fmt::format("the job's pod '{}/{}' did not start within {} s{}", m_place.name_space,
                      pod_name(m_spec), m_place.settings.poll_timeout.count(),
                      what.empty() ? "" : ": " + what),
          "`poll_timeout` says how long to wait");
    }
    await_news(step.running ? now + k_tick : std::min(until, now + k_tick),
               met ? m_stop : wake.get_token());
  }
}

void Preparation::await_news(Clock::time_point until, const std::stop_token& wake) {
  try {
    m_watch->next(until, wake);
  } catch (const support::Cancelled&) {
    if (m_stop.stop_requested()) throw;
  }
}

core::Sandbox Preparation::result() const {
  core::Sandbox sandbox;
  sandbox.backend = m_spec.backend;
  const auto set = [&sandbox](std::string_view key, std::string value) {
    sandbox.values[std::string(key)] = std::move(value);
  };
  set(k_value_namespace, m_place.name_space);
  set(k_value_pod_name, pod_name(m_spec));
  set(k_value_pod_uid, m_uid);
  set(k_value_helper_nonce, sandbox::nonce_text(m_helper_hello));
  set(k_value_build_nonce, sandbox::nonce_text(m_build_hello));
  // What images have in their environment a cluster does not tell.
  sandbox::note_checkout(m_checkout, false, false, sandbox);
  if (!m_helper_path.empty()) set(k_value_helper_path, m_helper_path);
  if (!m_ready_daemons.empty()) set(agentlink::k_value_ask_why, m_ready_daemons);
  if (m_tunnels) {
    set(k_value_helper_socket_dir,
        tunnel_socket_dir(m_spec.tmpdir, core::ContainerRole::helper).string());
    set(k_value_build_socket_dir,
        tunnel_socket_dir(m_spec.tmpdir, core::ContainerRole::build).string());
    set(agentlink::k_value_direct_ms, std::to_string(k_short_stage.count()));
  }
  return sandbox;
}

}  // namespace berth::kubernetes
