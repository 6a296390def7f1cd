#include "executor/environments/workloads/progress.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/environments_workloads/objects.hpp"

using namespace berth::environments::workloads;
using berth::tests::deployment;
using berth::tests::job;
using nlohmann::json;

namespace {

json with_condition(json object, const char* type, const char* status, const char* reason,
                    const char* message) {
  object["status"]["conditions"].push_back(
      {{"type", type}, {"status", status}, {"reason", reason}, {"message", message}});
  return object;
}

json stateful_set(int replicas, int updated, int ready, const json& strategy = json::object()) {
  return {{"metadata", {{"name", "db"}, {"generation", 2}}},
          {"spec", {{"replicas", replicas}, {"updateStrategy", strategy}}},
          {"status",
           {{"observedGeneration", 2},
            {"replicas", replicas},
            {"updatedReplicas", updated},
            {"readyReplicas", ready},
            {"currentRevision", updated == replicas ? "b" : "a"},
            {"updateRevision", "b"}}}};
}

}  // namespace

TEST_CASE("A Deployment is done when all its pods are new and available, and none is old") {
  CHECK(judge_progress(Kind::deployment, deployment()).done);
  const Progress started = judge_progress(
      Kind::deployment, deployment({.replicas = 3, .updated = 1, .all = 4, .available = 3}));
  CHECK_FALSE(started.done);
  CHECK(started.text == "1 of 3 pods new");
  CHECK(started.short_of_pods);
  CHECK_FALSE(
      judge_progress(Kind::deployment, deployment({.updated = 1, .all = 2, .available = 2})).done);
  const Progress unready = judge_progress(Kind::deployment, deployment({.available = 0}));
  CHECK_FALSE(unready.done);
  CHECK(unready.text == "1 of 1 pod new, 0 ready");
}

TEST_CASE("A status that is about an older manifest says nothing") {
  json object = with_condition(deployment({.generation = 3, .observed = 2}), "Progressing", "False",
                               "ProgressDeadlineExceeded", "x");
  const Progress progress = judge_progress(Kind::deployment, object);
  CHECK_FALSE(progress.done);
  CHECK_FALSE(progress.observed);
  CHECK_FALSE(progress.failure.has_value());
  CHECK(progress.text == "its controller has not seen it yet");
}

TEST_CASE("A paused Deployment fails only while something is left to do") {
  json object = deployment({.updated = 0});
  object["spec"]["paused"] = true;
  const Progress progress = judge_progress(Kind::deployment, object);
  REQUIRE(progress.failure.has_value());
  CHECK(progress.failure->trouble == Trouble::paused);
  json done = deployment();
  done["spec"]["paused"] = true;
  CHECK(judge_progress(Kind::deployment, done).done);
  CHECK_FALSE(judge_progress(Kind::deployment, done).failure.has_value());
}

TEST_CASE("A Deployment past its deadline has failed, one that is done has not") {
  const auto late = [](json object) {
    return judge_progress(
        Kind::deployment,
        with_condition(std::move(object), "Progressing", "False", "ProgressDeadlineExceeded", "x"));
  };
  const Progress progress = late(deployment({.available = 0}));
  REQUIRE(progress.failure.has_value());
  CHECK(progress.failure->text ==
        "Deployment 'web' made no progress for 600 s (progressDeadlineSeconds): 1 of 1 pod new, 0 "
        "ready");
  CHECK_FALSE(late(deployment()).failure.has_value());
}

TEST_CASE(
    "A StatefulSet counts the pods above its partition, and none where it is updated by hand") {
  CHECK(judge_progress(Kind::stateful_set, stateful_set(3, 3, 3)).done);
  CHECK_FALSE(judge_progress(Kind::stateful_set, stateful_set(3, 2, 3)).done);
  CHECK_FALSE(judge_progress(Kind::stateful_set, stateful_set(3, 3, 2)).done);
  const json partition = {{"type", "RollingUpdate"}, {"rollingUpdate", {{"partition", 2}}}};
  CHECK(judge_progress(Kind::stateful_set, stateful_set(3, 1, 3, partition)).done);
  CHECK_FALSE(judge_progress(Kind::stateful_set, stateful_set(3, 0, 3, partition)).done);
  const Progress by_hand =
      judge_progress(Kind::stateful_set, stateful_set(3, 0, 3, {{"type", "OnDelete"}}));
  CHECK(by_hand.done);
}

TEST_CASE("A DaemonSet wants a new pod on each of its nodes") {
  const auto set = [](int updated, int available) {
    return judge_progress(Kind::daemon_set, {{"metadata", {{"name", "log"}, {"generation", 1}}},
                                             {"spec", json::object()},
                                             {"status",
                                              {{"observedGeneration", 1},
                                               {"desiredNumberScheduled", 2},
                                               {"currentNumberScheduled", 2},
                                               {"updatedNumberScheduled", updated},
                                               {"numberAvailable", available}}}});
  };
  CHECK(set(2, 2).done);
  CHECK_FALSE(set(1, 2).done);
  CHECK_FALSE(set(2, 1).done);
  CHECK(set(2, 1).text == "2 of 2 pods new, 1 ready");
}

TEST_CASE("A Job is done when it is complete, and failed when it says so") {
  CHECK(judge_progress(Kind::job, job("app:v1", "Complete", "j")).done);
  const Progress running = judge_progress(Kind::job, job("app:v1", "", "j"));
  CHECK_FALSE(running.done);
  CHECK(running.observed);
  const Progress failed = judge_progress(Kind::job, job("app:v1", "Failed", "j"));
  REQUIRE(failed.failure.has_value());
  CHECK(failed.failure->text == "Job 'migrate' failed: BackoffLimitExceeded: limit");
  CHECK(judge_progress(Kind::cron_job, json::object()).done);
}

TEST_CASE("Objects without what was expected are judged, not trusted") {
  for (const Kind kind : k_kinds) {
    CHECK_NOTHROW(judge_progress(kind, json::array()));
    CHECK_NOTHROW(judge_progress(kind, {{"spec", 1}, {"status", {{"conditions", "x"}}}}));
  }
}
