#include "executor/app/probe_job.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using core::Finding;
using core::Health;

namespace {

Finding one(const std::string& output, std::int64_t before = 1000, std::int64_t after = 1001) {
  const auto findings = app::read_probe(output, before, after);
  REQUIRE(findings.size() == 1);
  return findings.front();
}

}  // namespace

TEST_CASE("tools of the helper are there, or are asked for") {
  CHECK(one("git=git version 2.45.2\n").text == "in the helper: git version 2.45.2");
  const Finding missing = one("gitlab-runner=\n");
  CHECK(missing.check == "gitlab-runner");
  CHECK(missing.health == Health::failed);
  CHECK(missing.remedy.find("helper_image") != std::string::npos);
}

TEST_CASE("the clock where jobs run") {
  CHECK(one("clock=1000\n").health == Health::good);
  CHECK(one("clock=1001\n").text == "where jobs run: as here");
  CHECK(one("clock=995\n").health == Health::good);
  CHECK(one("clock=994\n").health == Health::warning);
  CHECK(one("clock=1302\n").health == Health::failed);
  CHECK(one("clock=\n").health == Health::skipped);
}

TEST_CASE("disk where jobs check out") {
  CHECK(one("disk=2097152\n").text == "2.0 GiB free under /builds");
  CHECK(one("disk=2097152\n").health == Health::good);
  CHECK(one("disk=2097151\n").health == Health::warning);
  CHECK(one("disk=262143\n").health == Health::failed);
  CHECK(one("disk=\n").health == Health::skipped);
}

TEST_CASE("names in a job") {
  CHECK(one("dns:gitlab.example.com=10.0.0.1\n").text ==
        "'gitlab.example.com' is 10.0.0.1 in a job");
  const Finding unknown = one("dns:no.such.host=\n");
  CHECK(unknown.health == Health::failed);
  CHECK(unknown.text == "'no.such.host' cannot be resolved in a job");
  CHECK_FALSE(unknown.remedy.empty());
  CHECK(one("dns:x=?\n").health == Health::skipped);
}

TEST_CASE("what a job's image says beside is not taken for findings") {
  CHECK(app::read_probe("Welcome!\nfoo=bar\n\n=\n", 0, 0).empty());
  CHECK(app::read_probe("git=x", 0, 0).size() == 1);
}

TEST_CASE("no host gets anything but its name into the script") {
  CHECK(app::probe_script({"gitlab.example.com"}).find("resolve 'gitlab.example.com'\n") !=
        std::string::npos);
  for (const char* bad : {"", "a'b", "a b", "$(x)", "https://x", "-x", "a;b"}) {
    CHECK_THROWS_AS(app::probe_script({bad}), support::OperatorError);
  }
}
