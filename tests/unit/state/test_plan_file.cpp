#include "executor/state/plan.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/thrown.hpp"

#include <sys/stat.h>

using namespace berth;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

namespace {

/// No field left at its default, so that a forgotten one shows.
core::JobSpec a_spec() {
  core::JobSpec spec;
  spec.backend = "docker";
  spec.job_id = 7;
  spec.job_name = "test \"x\"\n";
  spec.project_id = 42;
  spec.attempt = "0a1b2c3d4e5f";
  spec.tmpdir = "/tmp/custom-executor1";
  spec.resource_name = "berth-7-0a1b2c3d4e5f";
  spec.hostname = "runner-x";
  spec.builds_dir = "/builds";
  spec.cache_dir = "/cache";
  spec.deadline = 1'000'000;
  spec.orphan_timeout = 901s;
  spec.connection_timeout = 301s;
  spec.pull_retry_timeout = 181s;
  spec.wait_for_services_timeout = -1s;
  spec.helper = {.image = "helper:1", .pull_policies = {"always"}, .user = "0:0"};
  spec.build = {.image = "debian",
                .entrypoint = Words{""},
                .command = Words{"a", "b"},
                .pull_policies = {"never", "always"},
                .user = "1000",
                .platform = "linux/arm64",
                .privileged = true};
  spec.services = {{.container = {.image = "postgres:15", .pull_policies = {"always"}},
                    .aliases = {"postgres", "db"},
                    .job_index = 0,
                    .settings_index = -1,
                    .added = {{"POSTGRES_HOST_AUTH_METHOD", "trust"}}},
                   {.container = {.image = "redis"},
                    .job_index = -1,
                    .settings_index = 2,
                    .unprivileged_by = "privileged",
                    .spare_daemon = true}};
  spec.docker_in_docker = false;
  spec.layers_volume = "layers";
  spec.volumes = {{.name = "v", .destination = "/builds", .per_job = true}};
  spec.binds = {{.source = "/srv", .destination = "/data", .mode = "ro"}};
  spec.labels = {{"a", "b"}, {"berth.attempt", "0a1b2c3d4e5f"}};
  spec.notes = {"a note"};
  spec.helper_umask_0000 = true;
  return spec;
}

}  // namespace

TEST_CASE("plan file: what is written is read again") {
  const tests::TempDir directory;
  CHECK_FALSE(state::read_plan(directory.path()).has_value());
  state::write_plan(directory.path(), a_spec());
  CHECK(state::read_plan(directory.path()) == a_spec());
  struct stat info {};
  REQUIRE(::stat((directory.path() / "plan.json").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  state::write_plan(directory.path(), core::JobSpec{});
  CHECK(state::read_plan(directory.path()) == core::JobSpec{});
}

TEST_CASE("plan file: its form, which other versions may meet") {
  tests::check_golden("state/plan.json", state::encode_plan(a_spec()));
}

TEST_CASE("plan file: damaged, or of another version") {
  const auto message = [](const std::string& text) {
    return tests::message_of<support::SystemError>([&] { state::decode_plan(text, "plan.json"); });
  };
  const std::string good = state::encode_plan(a_spec());
  CHECK(message(good) == "no error");
  CHECK_THAT(message(""), StartsWith("not valid JSON: 'plan.json'"));
  CHECK(message("{}") == "not a state file of Berth: 'plan.json': no version");
  CHECK(message("[]") == "not a state file of Berth: 'plan.json': no version");
  CHECK(message(R"({"version": "1"})") == "not a state file of Berth: 'plan.json': no version");
  CHECK(message(R"({"version": 1})") ==
        "state of another version of Berth: 'plan.json': it has version 1, not 2");
  CHECK_THAT(message(R"({"version": 2})"), StartsWith("unexpected JSON: 'plan.json': "));
  std::string bad = good;
  bad.replace(bad.find("\"per_job\": true"), 15, "\"per_job\": 1234");
  CHECK_THAT(message(bad), ContainsSubstring("(/volumes/0/per_job)"));
  for (std::size_t length = 0; length + 2 < good.size(); ++length) {
    CHECK_THROWS_AS(state::decode_plan(good.substr(0, length), "x"), support::SystemError);
  }
}

TEST_CASE("plan file: TMPDIR must be set") {
  CHECK_THROWS_WITH(state::read_plan({}), "TMPDIR is not set");
  CHECK_THROWS_WITH(state::write_plan({}, {}), "TMPDIR is not set");
}
