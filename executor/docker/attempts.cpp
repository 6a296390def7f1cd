#include "executor/docker/attempts.hpp"

#include "executor/docker/forget_attempt.hpp"
#include "executor/docker/names.hpp"
#include "executor/docker/removal.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <map>
#include <optional>

namespace berth::docker {
namespace {

constexpr std::int64_t k_settled_after = 60;

/// "2026-11-21T04:24:00.123Z" as seconds since the epoch.
std::optional<std::int64_t> parse_time(const std::string& text) {
  std::tm time{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  if (rest == nullptr) return std::nullopt;
  return static_cast<std::int64_t>(::timegm(&time));
}

std::string label(const std::map<std::string, std::string>& labels, std::string_view key) {
  const auto found = labels.find(std::string(key));
  return found == labels.end() ? std::string() : found->second;
}

using Attempts = std::map<std::string, AttemptTraces>;

AttemptTraces& note(Attempts& attempts, const std::map<std::string, std::string>& labels,
                    std::string kind, std::string name) {
  const std::string id = label(labels, k_label_attempt);
  const std::string deadline = label(labels, k_label_deadline);
  AttemptTraces& traces = attempts[id];
  traces.attempt = id;
  traces.tmpdir = label(labels, k_label_tmpdir);
  traces.host = label(labels, k_label_host);
  std::from_chars(deadline.data(), deadline.data() + deadline.size(), traces.deadline);
  traces.objects.push_back({.kind = std::move(kind), .name = std::move(name)});
  return traces;
}

}  // namespace

std::vector<AttemptTraces> list_attempts(Engine& engine, const LabelFilter& labels,
                                         const std::stop_token& stop) {
  Attempts attempts;
  for (const auto& container : engine.list_containers(labels, stop)) {
    const std::string& name = container.names.empty() ? container.id : container.names.front();
    AttemptTraces& traces = note(attempts, container.labels, "container", name);
    traces.states.push_back(container.state);
    traces.container_ids.push_back(container.id);
  }
  for (const auto& network : engine.list_networks(labels, stop)) {
    note(attempts, network.labels, "network", network.name);
  }
  for (const auto& volume : engine.list_volumes(labels, stop)) {
    note(attempts, volume.labels, "volume", volume.name);
  }
  attempts.erase("");
  std::vector<AttemptTraces> list;
  for (auto& [id, traces] : attempts) list.push_back(std::move(traces));
  return list;
}

Verdict judge(const AttemptTraces& traces,
              const std::function<bool(const std::string&)>& directory_exists) {
  if (!traces.tmpdir.empty() && !directory_exists(traces.tmpdir)) return Verdict::dead;
  const bool all_ended =
      !traces.states.empty() &&
      std::all_of(traces.states.begin(), traces.states.end(), [](const std::string& state) {
        return state == "exited" || state == "dead" || state == "stopped";
      });
  return all_ended ? Verdict::ended : Verdict::alive;
}

bool settled(Engine& engine, const AttemptTraces& traces, std::int64_t now,
             const std::stop_token& stop) {
  return std::all_of(traces.container_ids.begin(), traces.container_ids.end(),
                     [&](const std::string& id) {
                       const auto info = engine.find_container(id, stop);
                       if (!info) return true;
                       const auto end = parse_time(info->state.finished_at);
                       return end && now - *end >= k_settled_after;
                     });
}

core::CleanupReport remove_attempt(Engine& engine, const HostState& state,
                                   const AttemptTraces& traces, const std::string& helper_image,
                                   const std::stop_token& stop) {
  const LabelFilter labels = {fmt::format("{}={}", k_label_attempt, traces.attempt),
                              fmt::format("{}={}", k_label_host, traces.host)};
  core::CleanupReport report = remove_objects(engine, find_objects(engine, labels, stop), stop);
  if (report.failures.empty()) {
    forget_attempt(engine, state, traces.host, traces.attempt, helper_image, stop);
  }
  return report;
}

}  // namespace berth::docker
