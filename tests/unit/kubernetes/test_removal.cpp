#include "executor/kubernetes/removal.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using kubernetes::is_dead;
using kubernetes::PodTrace;

namespace {

bool never(const std::string&) {
  return false;
}
bool always(const std::string&) {
  return true;
}

PodTrace pod() {
  return {.name = "berth-1-a", .uid = "u", .attempt = "a", .tmpdir = "/tmp/x"};
}

}  // namespace

TEST_CASE("an attempt lives as long as its TMPDIR") {
  CHECK_FALSE(is_dead(pod(), 1000, always));
  CHECK(is_dead(pod(), 1000, never));
}

TEST_CASE("an attempt whose pod has ended is dead a minute later") {
  PodTrace one = pod();
  one.ended = true;
  one.ended_at = 1000;
  CHECK_FALSE(is_dead(one, 1059, always));
  CHECK(is_dead(one, 1060, always));
}

TEST_CASE("an attempt that never started is dead once every driver has given it up") {
  PodTrace one = pod();
  one.start_by = 1000;
  CHECK_FALSE(is_dead(one, 1300, always));
  CHECK(is_dead(one, 1301, always));
  one.started = true;
  CHECK_FALSE(is_dead(one, 99999, always));
}

TEST_CASE("neither what is being deleted already nor what is not ours is taken") {
  PodTrace going = pod();
  going.being_deleted = true;
  CHECK_FALSE(is_dead(going, 1000, never));
  PodTrace strange = pod();
  strange.attempt.clear();
  CHECK_FALSE(is_dead(strange, 1000, never));
}

TEST_CASE("the grace of a deletion") {
  settings::Kubernetes settings;
  CHECK(kubernetes::deletion_grace(settings) == 1);
  settings.container_lifecycle = R"({"preStop": {}})";
  CHECK_FALSE(kubernetes::deletion_grace(settings));
  settings.container_lifecycle.clear();
  settings.pod_termination_grace_period = std::chrono::seconds(20);
  CHECK_FALSE(kubernetes::deletion_grace(settings));
  settings.cleanup_grace_period = std::chrono::seconds(0);
  CHECK(kubernetes::deletion_grace(settings) == 0);
}
