#include "executor/kubernetes/startup.hpp"

#include "agent/protocol/exit_codes.hpp"
#include "executor/kubernetes/pod/names.hpp"
#include "executor/sandbox/job_container.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace berth::kubernetes {
namespace {

using support::Fault;
using support::one_line;

Cause pull_failure(const PlannedContainer& container, const ContainerState& state) {
  const std::string words = registry_words(state.message);
  Cause cause{.fault = container.from_settings ? Fault::operator_ : Fault::job,
              .text = fmt::format("cannot pull image '{}': {}", container.image,
                                  words.empty() ? state.reason : words)};
  if (state.reason == "InvalidImageName") {
    cause.hint = "an image's name reads [registry/]path[:tag]";
  } else if (state.reason == "ErrImageNeverPull") {
    cause.hint = "the node does not have it, and `pull_policy` forbids to pull it";
  } else if (is_about_login(words)) {
    cause.hint =
        "check the name, and that DOCKER_AUTH_CONFIG or `image_pull_secrets` has a login "
        "for its registry";
  } else {
    cause.hint = "check the image's name and tag";
  }
  return cause;
}

Cause config_failure(const PlannedContainer& container, const ContainerState& state) {
  const bool about_user = state.message.find("runAsNonRoot") != std::string::npos ||
                          state.message.find("image will run as root") != std::string::npos;
  const bool authors = about_user && !container.from_settings;
  return {.fault = authors ? Fault::job : Fault::operator_,
          .text = fmt::format("{} cannot be made: {}", container.called(),
                              one_line(state.message.empty() ? state.reason : state.message)),
          .hint = about_user ? "the cluster runs no images as root: use one with another USER, or "
                               "`image: {kubernetes: {user: ...}}`"
                             : "check `volumes`, security contexts and `pod_spec` of the settings"};
}

/// The image's own process could not be started.
Cause start_failure(const PlannedContainer& container, const std::string& words) {
  const bool about_image = sandbox::is_about_the_image(words);
  Fault fault = container.from_settings ? Fault::operator_ : Fault::job;
  if (!about_image) fault = Fault::infrastructure;
  const std::string line = one_line(words);
  if (container.kind == PlannedContainer::Kind::service) {
    return {.fault = fault,
            .text = fmt::format("service '{}' could not be started: {}", container.image, line),
            .hint = about_image ? "check its `entrypoint` and `command`" : ""};
  }
  return {.fault = fault,
          .text = fmt::format("{} could not be started: {}", container.called(), line),
          .hint = container.kind == PlannedContainer::Kind::helper ? "check `helper_image`" : ""};
}

bool is_config_trouble(std::string_view reason) {
  return reason == "CreateContainerConfigError" || reason == "CreateContainerError" ||
         reason == "PreCreateHookError" || reason == "PreStartHookError" ||
         reason == "PostStartHookError";
}

/// The watchdog's, whatever the container was to run.
bool is_agents_end(const ContainerState& state) {
  return state.exit_code == protocol::k_exit_orphaned ||
         state.exit_code == protocol::k_exit_deadline;
}

}  // namespace

std::string PlannedContainer::called() const {
  switch (kind) {
    case Kind::build:
      return fmt::format("build container of image '{}'", image);
    case Kind::helper:
      return fmt::format("helper container of image '{}'", image);
    case Kind::service:
      break;
  }
  return fmt::format("service '{}'", image);
}

std::vector<PlannedContainer> planned_containers(const core::JobSpec& spec, const core::Job& job) {
  using Kind = PlannedContainer::Kind;
  std::vector<PlannedContainer> all = {{.name = std::string(k_build_container),
                                        .kind = Kind::build,
                                        .image = spec.build.image,
                                        .from_settings = !job.image.has_value()},
                                       {.name = std::string(k_helper_container),
                                        .kind = Kind::helper,
                                        .image = spec.helper.image,
                                        .from_settings = true}};
  const std::vector<std::string> names = service_container_names(spec);
  for (std::size_t i = 0; i < names.size(); ++i) {
    all.push_back({.name = names[i],
                   .kind = Kind::service,
                   .image = spec.services[i].container.image,
                   .from_settings = spec.services[i].job_index < 0});
  }
  return all;
}

const PlannedContainer* Startup::find(std::string_view name) const {
  const auto found = std::find_if(m_containers.begin(), m_containers.end(),
                                  [&](const PlannedContainer& one) { return one.name == name; });
  return found == m_containers.end() ? nullptr : &*found;
}

void Startup::say(Step& step, std::string text) {
  if (text == m_waiting_for) return;
  m_waiting_for = std::move(text);
  step.lines.push_back(m_waiting_for);
}

void Startup::look_at_scheduling(const PodState& pod, Step& step) {
  const bool gated = pod.gated || pod.unscheduled_reason == "SchedulingGated";
  if (gated || !pod.node.empty() || pod.unscheduled_message.empty()) return;
  say(step, "waiting for a node: " + one_line(pod.unscheduled_message));
}

void Startup::look_at_pull(const ContainerState& state, std::size_t index, TimePoint now,
                           Step& step) {
  const PlannedContainer& container = m_containers[index];
  step.pull_failed = index;
  if (judge_pull(state.reason, state.message) == PullTrouble::final_) {
    step.failure = pull_failure(container, state);
    return;
  }
  auto& since = m_pull_trouble_since[index];
  if (!since) since = now;
  // A back-off whose words only name the image says nothing new.
  const std::string words = registry_words(state.message);
  if (!words.empty()) {
    m_pull_words = words;
    say(step, fmt::format("cannot pull image '{}' yet: {}", container.image, words));
  }
  if (now - *since < m_pull_patience) return;
  step.failure = Cause{
      .text = fmt::format("cannot pull image '{}': {}", container.image,
                          m_pull_words.empty() ? state.reason : m_pull_words),
      .hint =
          "its registry cannot be reached from the node, or is busy; `pull_retry_timeout` says "
          "how long to wait"};
}

void Startup::look_at_container(const ContainerState& state, std::size_t index, TimePoint now,
                                Step& step) {
  const PlannedContainer& container = m_containers[index];
  if (state.could_not_start()) {
    step.failure = start_failure(container, state.message);
    return;
  }
  const bool not_a_service = container.kind != PlannedContainer::Kind::service;
  if (state.terminated() && not_a_service && is_agents_end(state)) {
    step.failure = Cause{.text = container.called() +
                                 " ended: its agent had not heard of this runner for longer than "
                                 "`orphan_timeout`, or its deadline had passed",
                         .hint = "is the node, or this machine, overloaded?"};
    return;
  }
  if (state.terminated() && not_a_service) {
    step.failure = Cause{
        .fault = container.kind == PlannedContainer::Kind::helper ? Fault::operator_ : Fault::job,
        .text =
            fmt::format("{} {} before the job could use it", container.called(), explain(state)),
        .hint = container.kind == PlannedContainer::Kind::helper
                    ? "check `helper_image`"
                    : "the image's entrypoint must run the command it is given; to start "
                      "without it write `image: {name: " +
                          container.image + ", entrypoint: [\"\"]}`"};
    return;
  }
  if (state.phase != ContainerState::Phase::waiting) return;
  if (is_pull_trouble(state.reason)) return look_at_pull(state, index, now, step);
  if (state.reason == "RunContainerError") {
    step.failure = start_failure(container, state.message);
    return;
  }
  if (is_config_trouble(state.reason)) {
    if (!m_config_trouble_since) m_config_trouble_since = now;
    if (now - *m_config_trouble_since >= k_config_patience) {
      step.failure = config_failure(container, state);
      return;
    }
    say(step,
        fmt::format("{} cannot be made yet: {}", container.called(), one_line(state.message)));
  }
}

void Startup::look_at_events(const std::vector<PodEvent>& events, Step& step) {
  if (events.empty() || step.running || step.failure) return;
  const PodEvent& last = events.back();
  const std::string words = one_line(last.message);
  if (last.reason == "Pulling") {
    // Pulling image "x"
    say(step, words.starts_with("Pulling") ? "pulling" + words.substr(7) : words);
  } else if (last.reason == "FailedMount" || last.reason == "FailedAttachVolume") {
    say(step, "waiting for a volume: " + words);
  } else if (last.warning && last.reason != "Failed" && last.reason != "BackOff" &&
             last.reason != "FailedScheduling") {
    say(step, fmt::format("the cluster says {}: {}", last.reason, words));
  }
}

Startup::Step Startup::look(const std::optional<PodState>& pod, const std::vector<PodEvent>& events,
                            TimePoint now) {
  Step step;
  if (auto cause = cause_of_pod_end(pod, {})) {
    cause->text = "the job's pod " + cause->text;
    step.failure = std::move(cause);
    return step;
  }
  look_at_scheduling(*pod, step);
  for (const ContainerState& init : pod->init_containers) {
    const bool failed = init.terminated() && init.exit_code != 0;
    const bool no_image = is_pull_trouble(init.reason) &&
                          judge_pull(init.reason, init.message) == PullTrouble::final_;
    if (!failed && !no_image) continue;
    step.failure =
        Cause{.fault = Fault::operator_,
              .text = fmt::format("init container '{}' of image '{}': {}", init.name, init.image,
                                  failed ? explain(init) : registry_words(init.message)),
              .hint = "check `agent_image` and `pod_spec`"};
    return step;
  }
  bool all = !m_containers.empty();
  bool trouble = false;
  for (std::size_t i = 0; i < m_containers.size() && !step.failure; ++i) {
    const ContainerState* state = pod->find(m_containers[i].name);
    if (state == nullptr) {
      all = false;
      continue;
    }
    look_at_container(*state, i, now, step);
    trouble = trouble || is_config_trouble(state->reason);
    all = all && state->phase != ContainerState::Phase::waiting;
  }
  if (!trouble) m_config_trouble_since.reset();
  if (!step.failure && pod->ended()) {
    step.failure = Cause{.text = "the job's pod ended before the job could use it" +
                                 (pod->message.empty() ? "" : ": " + one_line(pod->message))};
  }
  step.running = all && !step.failure;
  look_at_events(events, step);
  return step;
}

}  // namespace berth::kubernetes
