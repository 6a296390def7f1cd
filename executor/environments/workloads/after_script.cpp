#include "executor/environments/workloads/after_script.hpp"

#include "executor/environments/workloads/comparison.hpp"
#include "executor/environments/workloads/jobs_in_the_way.hpp"
#include "executor/environments/workloads/observe.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::environments::workloads {
namespace {

constexpr std::chrono::seconds k_patience{60};

void say_unseen(const Snapshot& snapshot, support::Console& console) {
  if (snapshot.unseen.empty()) return;
  console.line(fmt::format("deployment: not everything in namespace '{}' can be seen: {}",
                           snapshot.name_space, fmt::join(snapshot.unseen, "; ")));
}

/// What was seen before the script must be seen behind it: otherwise what it did to it would
/// pass as nothing.
void check_sight(const Snapshot& before, const Snapshot& after) {
  const auto lost = [&](Kind kind) { return before.sees(kind) && !after.sees(kind); };
  const bool blind =
      std::none_of(k_kinds.begin(), k_kinds.end(), [&](Kind kind) { return after.sees(kind); });
  const auto missed = [&](const Workload& one) { return lost(one.id.kind); };
  if (!(blind && std::any_of(k_kinds.begin(), k_kinds.end(), lost)) &&
      std::none_of(before.workloads.begin(), before.workloads.end(), missed))
    return;
  throw support::JobError(
      fmt::format("what was seen in namespace '{}' before the script cannot be seen any more: {}",
                  after.name_space, after.unseen.front()),
      "the credential must last until the deployment is healthy, and the one that the script "
      "leaves needs get and list on what it deploys");
}

/// What stood there, as far as can be told afterwards: what was changed since then is as
/// the record says, or new where it says nothing.
Snapshot before_changes(Snapshot snapshot, std::int64_t since,
                        const std::optional<Snapshot>& recorded) {
  for (Workload& one : snapshot.workloads) {
    // Jobs are acts: each is new.
    if (one.changed_at < since || !recorded || one.id.kind == Kind::job) continue;
    const Workload* old = recorded->find(one.id);
    if (old == nullptr || old->manifest.empty()) continue;
    Workload known = *old;
    known.uid = one.uid;
    known.changed_at = since - 1;
    one = std::move(known);
  }
  std::erase_if(snapshot.workloads, [&](const Workload& one) { return one.changed_at >= since; });
  return snapshot;
}

void fail(Conclusion& conclusion, const Failure& failure, std::string cause) {
  conclusion.passed = false;
  conclusion.cause = std::move(cause);
  conclusion.hint = failure.hint;
  conclusion.trouble = std::string(to_string(failure.trouble));
}

void wait_at_gate(kubernetes::Client& client, const AfterScript& script, Conclusion& conclusion,
                  support::Console& console, const std::stop_token& stop) {
  GateRun run{.name_space = conclusion.after.name_space,
              .subjects = subjects_of(conclusion.differences, conclusion.after),
              .options = script.gate,
              .probe = script.probe};
  if (run.subjects.empty() && run.probe.url.empty()) return;
  const Verdict verdict = run_gate(client, run, console, stop);
  if (verdict.passed) return;
  for (const std::string& line : verdict.log) console.line("| " + line);
  fail(conclusion, *verdict.failure, verdict.cause());
}

void bring_back(kubernetes::Client& client, const AfterScript& script, Conclusion& conclusion,
                support::Console& console, const std::stop_token& stop) {
  const std::optional<Snapshot>& known = script.before ? script.before : script.recorded;
  if (!known) {
    console.warning("rollback: what stood there before is not known, so nothing is brought back");
    return;
  }
  if (known->workloads.empty()) {
    console.warning("rollback: nothing stood there before, so there is nothing to bring back");
    return;
  }
  console.line(script.before
                   ? "rollback: bringing back what stood there before"
                   : "rollback: bringing back what the last good deployment left, by its record");
  try {
    conclusion.rollback = roll_back(client, *known, {.options = script.gate}, console, stop);
  } catch (const support::Error& error) {
    // What made it necessary stays the cause.
    console.warning(std::string("rollback: it did not succeed: ") + error.what());
    conclusion.rollback = RollbackOutcome{};
    conclusion.rollback->verdict.failure = Failure{.text = error.what()};
    return;
  }
  conclusion.after = conclusion.rollback->after;
  conclusion.rolled_back = conclusion.rollback->good();
  if (conclusion.rolled_back) {
    console.line("rollback: what ran before runs again, as the cluster says");
  } else {
    console.warning("rollback: it did not succeed: " + conclusion.rollback->cause());
  }
}

}  // namespace

std::unique_ptr<kubernetes::Client> connect(Target target, support::Console& console) {
  kubernetes::ClientOptions options;
  options.patience = k_patience;
  options.on_trouble = [&console](const std::string& words) { console.line(words); };
  return std::make_unique<kubernetes::Client>(std::move(target.connection), std::move(options));
}

Conclusion conclude(kubernetes::Client& client, const std::string& name_space,
                    const AfterScript& script, support::Console& console, std::stop_token stop) {
  Conclusion conclusion{.passed = true, .after = observe(client, name_space, stop)};
  if (!script.before || script.before->unseen.size() < conclusion.after.unseen.size())
    say_unseen(conclusion.after, console);
  if (script.before && script.gate_wanted && !script.script_failed)
    check_sight(*script.before, conclusion.after);
  conclusion.before = script.before;
  if (!conclusion.before && script.changed_since > 0)
    conclusion.before = before_changes(conclusion.after, script.changed_since, script.recorded);
  if (conclusion.before) conclusion.differences = diff(*conclusion.before, conclusion.after);
  for (const Difference& one : conclusion.differences) console.line("deployment: " + words(one));
  if (script.before && conclusion.differences.empty())
    console.line(fmt::format("deployment: no workload of namespace '{}' changed", name_space));

  if (script.script_failed) {
    conclusion.passed = false;
    conclusion.cause = "the script failed";
  }
  for (const std::string& job : script.immutable_jobs) {
    const Failure failure = immutable_job_failure(job, conclusion.after);
    fail(conclusion, failure, failure.text);
  }
  if (script.immutable_jobs.empty()) {
    for (const std::string& note : stale_jobs(conclusion.differences, conclusion.after))
      console.warning(note);
  }
  if (conclusion.passed && script.gate_wanted)
    wait_at_gate(client, script, conclusion, console, stop);
  if (conclusion.passed) {
    // Now there are pods, whose digests the record wants.
    conclusion.after = observe(client, name_space, stop);
    return conclusion;
  }
  if (script.roll_back && !conclusion.differences.empty())
    bring_back(client, script, conclusion, console, stop);
  return conclusion;
}

}  // namespace berth::environments::workloads
