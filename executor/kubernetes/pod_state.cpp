#include "executor/kubernetes/pod_state.hpp"

#include "executor/kubernetes/pod/names.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

const json& member(const json& object, std::string_view key) {
  static const json k_none = json::object();
  if (!object.is_object()) return k_none;
  const auto found = object.find(key);
  return found != object.end() ? *found : k_none;
}

std::string word(const json& object, std::string_view key) {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

const json& items(const json& object, std::string_view key) {
  static const json k_none = json::array();
  const json& value = member(object, key);
  return value.is_array() ? value : k_none;
}

ContainerState parse_container(const json& status) {
  ContainerState one{.name = word(status, "name"), .image = word(status, "image")};
  const json& state = member(status, "state");
  const auto take = [&](const char* key, ContainerState::Phase phase) {
    const json& part = member(state, key);
    if (part.empty() && !state.contains(key)) return;
    one.phase = phase;
    one.reason = word(part, "reason");
    one.message = word(part, "message");
    const json& code = member(part, "exitCode");
    if (code.is_number_integer()) one.exit_code = code.get<int>();
  };
  if (state.is_object()) {
    take("waiting", ContainerState::Phase::waiting);
    take("running", ContainerState::Phase::running);
    take("terminated", ContainerState::Phase::terminated);
  }
  return one;
}

/// "2026-11-21T04:24:00Z" as seconds since the epoch; 0 where it is none.
std::int64_t parse_time(const std::string& text) {
  std::tm time{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return 0;
  return static_cast<std::int64_t>(::timegm(&time));
}

/// Digits; 0 where there are none.
std::int64_t seconds(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

bool ContainerState::could_not_start() const {
  return terminated() && (reason == "StartError" || reason == "ContainerCannotRun");
}

const ContainerState* PodState::find(std::string_view container) const {
  const auto found = std::find_if(containers.begin(), containers.end(),
                                  [&](const ContainerState& one) { return one.name == container; });
  return found == containers.end() ? nullptr : &*found;
}

PodState parse_pod_state(const json& pod) {
  const json& metadata = member(pod, "metadata");
  const json& spec = member(pod, "spec");
  const json& status = member(pod, "status");
  PodState state{.name = word(metadata, "name"),
                 .uid = word(metadata, "uid"),
                 .phase = word(status, "phase"),
                 .reason = word(status, "reason"),
                 .message = word(status, "message"),
                 .node = word(spec, "nodeName"),
                 .being_deleted = !word(metadata, "deletionTimestamp").empty(),
                 .gated = !items(spec, "schedulingGates").empty()};
  for (const json& condition : items(status, "conditions")) {
    const std::string type = word(condition, "type");
    const std::string value = word(condition, "status");
    if (type == "PodScheduled" && value == "False") {
      state.unscheduled_reason = word(condition, "reason");
      state.unscheduled_message = word(condition, "message");
    } else if (type == "DisruptionTarget" && value == "True") {
      state.disruption_reason = word(condition, "reason");
      state.disruption_message = word(condition, "message");
    }
  }
  for (const json& one : items(status, "initContainerStatuses"))
    state.init_containers.push_back(parse_container(one));
  for (const json& one : items(status, "containerStatuses"))
    state.containers.push_back(parse_container(one));
  return state;
}

PodEvent parse_pod_event(const json& event) {
  PodEvent one{.reason = word(event, "reason"),
               .message = word(event, "message"),
               .warning = word(event, "type") == "Warning"};
  constexpr std::string_view k_prefix = "spec.containers{";
  const std::string path = word(member(event, "involvedObject"), "fieldPath");
  if (path.starts_with(k_prefix) && path.ends_with('}'))
    one.container = path.substr(k_prefix.size(), path.size() - k_prefix.size() - 1);
  return one;
}

std::vector<PodEvent> parse_pod_events(const json& list) {
  std::vector<std::pair<std::string, PodEvent>> dated;
  for (const json& event : items(list, "items")) {
    std::string time = word(event, "lastTimestamp");
    if (time.empty()) time = word(event, "eventTime");
    if (time.empty()) time = word(member(event, "metadata"), "creationTimestamp");
    dated.emplace_back(time, parse_pod_event(event));
  }
  std::stable_sort(dated.begin(), dated.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<PodEvent> events;
  events.reserve(dated.size());
  for (auto& [time, event] : dated) events.push_back(std::move(event));
  return events;
}

PodTrace parse_pod_trace(const json& pod) {
  const PodState state = parse_pod_state(pod);
  const json& metadata = member(pod, "metadata");
  const auto both = [&state](auto&& which) {
    return std::ranges::all_of(k_agent_roles, [&](core::ContainerRole role) {
      const ContainerState* container = state.find(container_name(role));
      return container != nullptr && which(*container);
    });
  };
  const bool agents_ended = both([](const ContainerState& one) { return one.terminated(); });
  const json& annotations = member(metadata, "annotations");
  PodTrace trace{.name = state.name,
                 .uid = state.uid,
                 .attempt = word(member(metadata, "labels"), k_label_attempt),
                 .tmpdir = word(annotations, k_label_tmpdir),
                 .host = word(annotations, k_label_host),
                 .deadline = seconds(word(member(metadata, "labels"), k_label_deadline)),
                 .ended = state.ended() || agents_ended,
                 .started = both([](const ContainerState& one) {
                   return one.phase != ContainerState::Phase::waiting;
                 }),
                 .start_by = seconds(word(annotations, k_annotation_start_by)),
                 .being_deleted = state.being_deleted};
  for (const json& one : items(member(pod, "status"), "containerStatuses")) {
    const std::string at = word(member(member(one, "state"), "terminated"), "finishedAt");
    trace.ended_at = std::max(trace.ended_at, parse_time(at));
  }
  return trace;
}

}  // namespace berth::kubernetes
