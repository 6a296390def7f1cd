#include "executor/kubernetes/garbage.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using kubernetes::PodTrace;

namespace {

PodTrace pod() {
  return {.name = "berth-1-a",
          .uid = "u",
          .attempt = "a",
          .tmpdir = "/tmp/x",
          .host = "h-1:2",
          .deadline = 5000};
}

std::string reason(const PodTrace& one, std::int64_t now, bool gone = false) {
  return kubernetes::reason_to_remove(
      one, now,
      [gone](const std::string& host, const std::string&) { return gone && host == "h-1:2"; });
}

}  // namespace

TEST_CASE("gc leaves a pod whose job may be alive") {
  CHECK(reason(pod(), 1000).empty());
  CHECK(reason(pod(), 5000).empty());
  CHECK(reason(pod(), 5300).empty());
}

TEST_CASE("gc takes a pod past its deadline on every clock") {
  CHECK(reason(pod(), 5301) == "the job's deadline passed at 1970-01-01 01:23 UTC");
  PodTrace unknown = pod();
  unknown.deadline = 0;
  CHECK(reason(unknown, 99999).empty());
}

TEST_CASE("gc takes a pod whose TMPDIR is known to be gone") {
  CHECK(reason(pod(), 1000, true) == "the job is over: its directory '/tmp/x' is gone");
  PodTrace other = pod();
  other.host = "other";
  CHECK(reason(other, 1000, true).empty());
}

TEST_CASE("gc takes a pod that ended a minute ago") {
  PodTrace one = pod();
  one.ended = true;
  one.ended_at = 1000;
  CHECK(reason(one, 1059).empty());
  CHECK(reason(one, 1060) == "all containers of the job had ended at 1970-01-01 00:16 UTC");
}

TEST_CASE("gc takes a pod that never started, once every driver has given it up") {
  PodTrace one = pod();
  one.start_by = 1000;
  CHECK(reason(one, 1300).empty());
  CHECK(reason(one, 1301) == "the job's pod had not started by 1970-01-01 00:16 UTC");
  PodTrace started = one;
  started.started = true;
  CHECK(reason(started, 4999).empty());
  PodTrace unknown = one;
  unknown.start_by = 0;
  CHECK(reason(unknown, 4999).empty());
}

TEST_CASE("gc takes neither what is being deleted nor what is not an attempt's") {
  PodTrace going = pod();
  going.being_deleted = true;
  CHECK(reason(going, 99999, true).empty());
  PodTrace strange = pod();
  strange.attempt.clear();
  CHECK(reason(strange, 99999, true).empty());
}
