#include "executor/docker/garbage.hpp"

#include "executor/core/overdue.hpp"
#include "executor/docker/attempts.hpp"
#include "executor/docker/forget_attempt.hpp"
#include "executor/docker/names.hpp"
#include "executor/docker/removal.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace berth::docker {
namespace {

using core::Garbage;

/// Why the attempt is over; "" where it may still be alive.
std::string reason_to_remove(Engine& engine, const HostState& state, const AttemptTraces& traces,
                             std::int64_t now, const std::stop_token& stop) {
  const bool over = state.is_over(traces.host, traces.tmpdir);
  const Verdict verdict = judge(traces, [&](const std::string&) { return !over; });
  if (verdict == Verdict::dead) {
    return fmt::format("the job is over: its directory '{}' is gone", traces.tmpdir);
  }
  if (core::is_overdue(traces.deadline, now)) {
    return fmt::format("the job's deadline passed at {}", core::utc_minute(traces.deadline));
  }
  if (verdict == Verdict::ended && settled(engine, traces, now, stop)) {
    return "all containers of the job have ended";
  }
  return {};
}

/// Marks those that are still there with what the engine said.
void note_failures(Engine& engine, const AttemptTraces& traces,
                   const std::vector<std::string>& failures, std::vector<Garbage>& objects,
                   const std::stop_token& stop) {
  const auto left =
      list_attempts(engine, {fmt::format("{}={}", k_label_attempt, traces.attempt)}, stop);
  for (Garbage& object : objects) {
    for (const AttemptTraces& there : left) {
      const bool stays = std::any_of(
          there.objects.begin(), there.objects.end(),
          [&](const Garbage& one) { return one.kind == object.kind && one.name == object.name; });
      if (stays) object.failure = fmt::format("{}", fmt::join(failures, "; "));
    }
  }
}

std::string words_of_age(std::int64_t seconds) {
  constexpr std::int64_t k_hour = 3600;
  constexpr std::int64_t k_day = 24 * k_hour;
  return seconds >= 2 * k_day ? fmt::format("{} days", seconds / k_day)
                              : fmt::format("{} hours", seconds / k_hour);
}

}  // namespace

std::vector<Garbage> collect_attempts(Engine& engine, const HostState& state,
                                      const std::string& helper_image, bool dry_run,
                                      std::int64_t now, std::stop_token stop) {
  std::vector<Garbage> all;
  std::set<std::string> seen;
  // Any attempt's objects, of whatever host.
  for (const AttemptTraces& traces :
       list_attempts(engine, {std::string(k_label_attempt), std::string(k_label_host)}, stop)) {
    seen.insert(traces.attempt);
    const std::string reason = reason_to_remove(engine, state, traces, now, stop);
    if (reason.empty()) continue;
    std::vector<Garbage> objects = traces.objects;
    for (Garbage& object : objects) object.reason = reason;
    if (!dry_run) {
      const auto report = remove_attempt(engine, state, traces, helper_image, stop);
      if (!report.failures.empty()) {
        note_failures(engine, traces, report.failures, objects, stop);
      }
    }
    std::move(objects.begin(), objects.end(), std::back_inserter(all));
  }
  // Records whose objects are gone already.
  for (const std::string& attempt : state.dead_attempts(now)) {
    if (seen.contains(attempt)) continue;
    Garbage record{.kind = "directory",
                   .name = state.attempt_directory(attempt).string(),
                   .reason = "the job is over, and nothing of it is left on the engine"};
    if (!dry_run) {
      const auto failures = forget_attempt(engine, state, "", attempt, helper_image, stop);
      record.failure = fmt::format("{}", fmt::join(failures, "; "));
    }
    all.push_back(std::move(record));
  }
  return all;
}

std::vector<Garbage> collect_volumes(Engine& engine, const HostState& state,
                                     std::int64_t unused_for, bool dry_run, std::int64_t now,
                                     std::stop_token stop) {
  std::vector<Garbage> all;
  const LabelFilter kept = {fmt::format("{}=true", k_label_managed),
                            fmt::format("{}=cache", k_label_type), std::string(k_label_version)};
  for (const VolumeInfo& volume : engine.list_unused_volumes(kept, stop)) {
    // No new holder comes between the look and the removal.
    const support::Fd guard = state.lock("holders", stop);
    const auto last = state.last_use(volume.name);
    if (!last || now - *last < unused_for || state.is_held(volume.name, now)) continue;
    Garbage one{.kind = "volume",
                .name = volume.name,
                .reason = fmt::format("no job has used it for {}", words_of_age(now - *last))};
    if (!dry_run) {
      try {
        engine.remove_volume(volume.name, stop);
        state.forget_use(volume.name);
      } catch (const EngineError& error) {
        // A container uses it since: then it is none.
        if (error.conflict()) continue;
        one.failure = error.what();
      }
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace berth::docker
