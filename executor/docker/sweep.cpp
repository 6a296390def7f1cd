#include "executor/docker/sweep.hpp"

#include "executor/docker/forget_attempt.hpp"
#include "executor/docker/names.hpp"
#include "executor/docker/removal.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <sys/stat.h>

namespace berth::docker {
namespace {

constexpr std::int64_t k_settled_after = 60;

bool exists(const std::string& path) {
  struct stat unused {};
  return ::lstat(path.c_str(), &unused) == 0 || errno != ENOENT;
}

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

AttemptTraces& note(Attempts& attempts, const std::map<std::string, std::string>& labels) {
  const std::string id = label(labels, k_label_attempt);
  AttemptTraces& traces = attempts[id];
  traces.attempt = id;
  traces.tmpdir = label(labels, k_label_tmpdir);
  return traces;
}

Attempts collect(Engine& engine, const std::string& host, const std::stop_token& stop) {
  const LabelFilter ours = {fmt::format("{}={}", k_label_host, host)};
  Attempts attempts;
  for (const auto& container : engine.list_containers(ours, stop)) {
    AttemptTraces& traces = note(attempts, container.labels);
    traces.states.push_back(container.state);
    traces.container_ids.push_back(container.id);
  }
  for (const auto& network : engine.list_networks(ours, stop)) note(attempts, network.labels);
  for (const auto& volume : engine.list_volumes(ours, stop)) note(attempts, volume.labels);
  attempts.erase("");
  return attempts;
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

}  // namespace

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

unsigned sweep(Engine& engine, const HostState& state, const std::string& host,
               std::string_view own, const std::string& helper_image, std::int64_t now,
               std::stop_token stop) {
  unsigned removed = 0;
  // Attempts whose records stay: this one, and those with objects left.
  std::set<std::string, std::less<>> kept{std::string(own)};
  try {
    for (const auto& [attempt, traces] : collect(engine, host, stop)) {
      if (attempt == own) continue;
      const Verdict verdict = judge(traces, exists);
      if (verdict == Verdict::alive) continue;
      if (verdict == Verdict::ended && !settled(engine, traces, now, stop)) continue;
      const LabelFilter labels = {fmt::format("{}={}", k_label_attempt, attempt),
                                  fmt::format("{}={}", k_label_host, host)};
      const auto report = remove_objects(engine, find_objects(engine, labels, stop), stop);
      removed += report.removed;
      for (const std::string& failure : report.failures) {
        support::log(support::LogLevel::warn, "sweep: " + failure);
      }
      if (report.failures.empty()) {
        forget_attempt(engine, state, host, attempt, helper_image, stop);
      } else {
        kept.insert(attempt);
      }
    }
    for (const std::string& attempt : state.dead_attempts(host, now)) {
      if (kept.contains(attempt)) continue;
      forget_attempt(engine, state, host, attempt, helper_image, stop);
    }
  } catch (const support::Error& error) {
    support::log(support::LogLevel::warn, std::string("sweep: ") + error.what());
  }
  return removed;
}

}  // namespace berth::docker
