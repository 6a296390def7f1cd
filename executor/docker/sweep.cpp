#include "executor/docker/sweep.hpp"

#include "executor/docker/attempts.hpp"
#include "executor/docker/forget_attempt.hpp"
#include "executor/docker/names.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <functional>
#include <set>
#include <sys/stat.h>

namespace berth::docker {
namespace {

bool exists(const std::string& path) {
  struct stat unused {};
  return ::lstat(path.c_str(), &unused) == 0 || errno != ENOENT;
}

}  // namespace

unsigned sweep(Engine& engine, const HostState& state, const std::string& host,
               std::string_view own, const std::string& helper_image, std::int64_t now,
               std::stop_token stop) {
  unsigned removed = 0;
  // Attempts whose records stay: this one, and those with objects left.
  std::set<std::string, std::less<>> kept{std::string(own)};
  try {
    const LabelFilter ours = {fmt::format("{}={}", k_label_host, host)};
    for (const AttemptTraces& traces : list_attempts(engine, ours, stop)) {
      if (traces.attempt == own) continue;
      const Verdict verdict = judge(traces, exists);
      if (verdict == Verdict::alive) continue;
      if (verdict == Verdict::ended && !settled(engine, traces, now, stop)) continue;
      const auto report = remove_attempt(engine, state, traces, helper_image, stop);
      removed += report.removed;
      for (const std::string& failure : report.failures) {
        support::log(support::LogLevel::warn, "sweep: " + failure);
      }
      if (!report.failures.empty()) kept.insert(traces.attempt);
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
