#include "cli/local/schedule.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <map>

using namespace berth::local;
using pipeline::Job;
using pipeline::When;

namespace {

using Names = std::vector<std::string>;

Job job(const std::string& name, const std::string& stage, When when = When::on_success) {
  Job result;
  result.name = name;
  result.stage = stage;
  result.when = when;
  return result;
}

Job needing(Job result, const Names& names) {
  result.needs.emplace();
  for (const std::string& name : names) result.needs->push_back({.job = name});
  return result;
}

/// A pipeline of jobs, its stages in the order in which they first stand there.
class Run {
 public:
  explicit Run(std::vector<Job> jobs, ScheduleOptions options = {}) {
    for (const Job& candidate : jobs) {
      if (std::find(m_pipeline.stages.begin(), m_pipeline.stages.end(), candidate.stage) ==
          m_pipeline.stages.end()) {
        m_pipeline.stages.push_back(candidate.stage);
      }
    }
    m_pipeline.jobs = std::move(jobs);
    m_schedule.emplace(m_pipeline, std::move(options));
  }

  Names ready() {
    Names result;
    for (const std::size_t index : m_schedule->ready())
      result.push_back(m_pipeline.jobs[index].name);
    return result;
  }
  bool end(const std::string& name, Status status = Status::success,
           const std::string& reason = "script_failure", int code = 1) {
    const std::size_t index = index_of(name);
    m_schedule->started(index);
    const bool good = status == Status::success;
    return m_schedule->finished(
        index, {.status = status, .reason = good ? "" : reason, .exit_code = good ? 0 : code});
  }
  bool fail(const std::string& name, const std::string& reason = "script_failure", int code = 1) {
    return end(name, Status::failed, reason, code);
  }
  Status status(const std::string& name) {
    m_schedule->ready();
    return m_schedule->status(index_of(name)).value().status;
  }
  Schedule& schedule() { return *m_schedule; }
  std::size_t index_of(const std::string& name) const {
    for (std::size_t i = 0; i < m_pipeline.jobs.size(); ++i) {
      if (m_pipeline.jobs[i].name == name) return i;
    }
    throw std::runtime_error(name);
  }

 private:
  pipeline::Pipeline m_pipeline;
  std::optional<Schedule> m_schedule;
};

}  // namespace

TEST_CASE("stages run one after the other, jobs of a stage side by side") {
  Run run({job("a", "build"), job("b", "build"), job("c", "test")});
  CHECK(run.ready() == Names{"a", "b"});
  run.schedule().started(run.index_of("a"));
  CHECK(run.ready() == Names{"b"});
  run.end("b");
  CHECK(run.ready().empty());
  run.schedule().finished(run.index_of("a"), {});
  CHECK(run.ready() == Names{"c"});
  run.end("c");
  CHECK(run.schedule().done());
  CHECK(run.schedule().pipeline_status() == Status::success);
}

TEST_CASE("after a failure on_failure and always jobs run, the others are skipped") {
  Run run({job("a", "build"), job("good", "test"), job("bad", "test", When::on_failure),
           job("always", "test", When::always), job("later", "deploy")});
  run.fail("a");
  CHECK(run.ready() == Names{"bad", "always"});
  CHECK(run.status("good") == Status::skipped);
  run.end("bad");
  run.end("always");
  CHECK(run.ready().empty());
  CHECK(run.status("later") == Status::skipped);
  CHECK(run.schedule().pipeline_status() == Status::failed);
}

TEST_CASE("without a failure on_failure jobs are skipped and do not stop what follows") {
  Run run({job("a", "build"), job("bad", "notify", When::on_failure), job("later", "deploy")});
  run.end("a");
  CHECK(run.ready() == Names{"later"});
  CHECK(run.status("bad") == Status::skipped);
}

TEST_CASE("a failure that is allowed is a success to those that follow") {
  Job tolerant = job("a", "build");
  SECTION("any") {
    tolerant.allow_failure = true;
  }
  SECTION("by code") {
    tolerant.allow_failure_exit_codes = {3, 7};
  }
  Run run({tolerant, job("later", "deploy"), job("bad", "deploy", When::on_failure)});
  run.fail("a", "script_failure", 7);
  CHECK(run.ready() == Names{"later"});
  CHECK(run.schedule().status(0)->allow_failure);
  run.end("later");
  CHECK(run.schedule().pipeline_status() == Status::success);
}

TEST_CASE("another code than the allowed ones, or no script failure at all, is a failure") {
  Job tolerant = job("a", "build");
  tolerant.allow_failure_exit_codes = {3};
  const bool by_code = GENERATE(true, false);
  Run run({tolerant, job("later", "deploy")});
  if (by_code) {
    run.fail("a", "script_failure", 4);
  } else {
    run.fail("a", "runner_system_failure", 3);
  }
  CHECK(run.ready().empty());
  CHECK(run.status("later") == Status::skipped);
}

TEST_CASE("needs do not wait for stages") {
  Run run({job("a", "build"), job("slow", "build"), needing(job("b", "test"), {"a"}),
           needing(job("free", "deploy"), {}), job("c", "deploy")});
  CHECK(run.ready() == Names{"a", "slow", "free"});
  run.end("a");
  CHECK(run.ready() == Names{"slow", "b", "free"});
  run.end("b");
  run.end("free");
  CHECK(run.ready() == Names{"slow"});
  run.end("slow");
  CHECK(run.ready() == Names{"c"});
}

TEST_CASE("a need that failed or did not run takes its job with it") {
  Run run({job("a", "build"), job("bad", "build", When::on_failure),
           needing(job("b", "test"), {"a"}), needing(job("c", "test"), {"b"}),
           needing(job("notify", "test", When::on_failure), {"a"}),
           needing(job("always", "test", When::always), {"a"})});
  run.fail("a");
  CHECK(run.ready() == Names{"notify", "always"});
  CHECK(run.status("b") == Status::skipped);
  CHECK(run.status("c") == Status::skipped);
  CHECK(run.status("bad") == Status::skipped);
}

TEST_CASE("a manual job that may fail is passed by, one that may not blocks") {
  Job gate = job("gate", "test", When::manual);
  gate.allow_failure = GENERATE(true, false);
  const bool optional = gate.allow_failure;
  Run run({job("a", "build"), gate, job("later", "deploy"),
           needing(job("needs gate", "deploy"), {"gate"})});
  run.end("a");
  const Names after = run.ready();
  CHECK(run.status("gate") == Status::manual);
  if (optional) {
    CHECK(after == Names{"later"});
    CHECK(run.status("needs gate") == Status::skipped);
    run.end("later");
    CHECK(run.schedule().pipeline_status() == Status::success);
  } else {
    CHECK(after.empty());
    CHECK(run.schedule().done());
    CHECK(run.schedule().pipeline_status() == Status::manual);
  }
}

TEST_CASE("manual jobs are played in their turn when asked for") {
  Run run({job("a", "build"), job("gate", "test", When::manual), job("later", "deploy")},
          {.only = {}, .play_manual = true});
  CHECK(run.ready() == Names{"a"});
  run.end("a");
  CHECK(run.ready() == Names{"gate"});
  run.end("gate");
  CHECK(run.ready() == Names{"later"});
}

TEST_CASE("named jobs run alone, manual or not") {
  Run run(
      {job("a", "build"), job("gate", "test", When::manual), needing(job("b", "deploy"), {"a"})},
      {.only = {"gate", "b"}});
  CHECK(run.ready() == Names{"gate", "b"});
  CHECK_FALSE(run.schedule().status(0));
  run.end("gate");
  run.end("b");
  CHECK(run.schedule().pipeline_status() == Status::success);
  CHECK_THROWS_AS(Run({job("a", "build")}, {.only = {"x"}}), berth::support::JobError);
}

TEST_CASE("a job is tried again as often as its retry allows, for the reasons it names") {
  Job flaky = job("a", "build");
  flaky.retry.max = 2;
  SECTION("always") {
    Run run({flaky, job("later", "deploy")});
    CHECK(run.fail("a"));
    CHECK(run.ready() == Names{"a"});
    CHECK(run.fail("a"));
    CHECK_FALSE(run.fail("a"));
    CHECK(run.schedule().attempts(0) == 3);
    CHECK(run.status("later") == Status::skipped);
  }
  SECTION("by reason") {
    flaky.retry.when = {"runner_system_failure"};
    Run run({flaky});
    CHECK(run.fail("a", "runner_system_failure"));
    CHECK_FALSE(run.fail("a", "script_failure"));
  }
  SECTION("by exit code") {
    flaky.retry.exit_codes = {137};
    Run run({flaky});
    CHECK(run.fail("a", "script_failure", 137));
    CHECK_FALSE(run.fail("a", "script_failure", 1));
  }
  SECTION("not what was canceled") {
    Run run({flaky});
    CHECK_FALSE(run.end("a", Status::canceled, "job_canceled"));
  }
}

TEST_CASE("a cancel leaves nothing to start") {
  Run run({job("a", "build"), job("later", "deploy")});
  run.schedule().started(0);
  run.schedule().cancel();
  CHECK(run.status("later") == Status::canceled);
  run.schedule().finished(0, {.status = Status::canceled, .reason = "job_canceled"});
  CHECK(run.schedule().done());
  CHECK(run.schedule().pipeline_status() == Status::canceled);
}
