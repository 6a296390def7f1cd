#include "executor/state/plan.hpp"
#include "executor/support/files.hpp"
#include "executor/support/version.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/stages/child.hpp"

#include <nlohmann/json.hpp>

#include <unistd.h>

using namespace berth;
using tests::Child;
using tests::TempDir;

namespace {

struct Runner {
  TempDir directory;
  std::filesystem::path tmpdir = directory.path() / "custom-executor1";
  Child::Environment environment;

  explicit Runner(const std::string& response, const std::string& docker = "image: debian") {
    std::filesystem::create_directories(tmpdir);
    support::write_file_atomically(tmpdir / "response.json", response);
    settings("docker:\n  " + docker + "\n");
    environment = {{"NO_COLOR", "1"},
                   {"TMPDIR", tmpdir.native()},
                   {"JOB_RESPONSE_FILE", (tmpdir / "response.json").native()},
                   {"BUILD_EXIT_CODE_FILE", (tmpdir / "build_exit_code").native()},
                   {"BERTH_SETTINGS", (directory.path() / "berth.yaml").native()},
                   {"CUSTOM_ENV_CI_JOB_TOKEN", "secret-token"}};
  }

  void settings(const std::string& text) const {
    support::write_file_atomically(
        directory.path() / "berth.yaml",
        text + "state_dir: " + (directory.path() / "state").native() + "\n");
  }
  Child::Result run() const { return Child(BERTH_CONFIG, {}, environment).wait(); }
};

constexpr const char* k_minimal =
    R"({"id":0,"variables":[{"key":"CI_JOB_TOKEN","value":"secret-token"}]})";

}  // namespace

TEST_CASE("berth-config: answers the runner and leaves the plan") {
  const Runner runner(k_minimal);
  const Child::Result result = runner.run();
  CHECK(result.errors.empty());
  REQUIRE(result.code == 0);
  const auto answer = nlohmann::json::parse(result.output);
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  CHECK(answer == nlohmann::json{{"builds_dir", "/builds"},
                                 {"cache_dir", "/cache"},
                                 {"builds_dir_is_shared", false},
                                 {"hostname", host.data()},
                                 {"driver", {{"name", "berth"}, {"version", support::version()}}}});
  const auto plan = state::read_plan(runner.tmpdir);
  REQUIRE(plan.has_value());
  CHECK(plan->build.image == "debian");
  CHECK(plan->tmpdir == runner.tmpdir.native());
  CHECK(support::read_file(runner.tmpdir / "plan.json", 1U << 20U).find("secret") ==
        std::string::npos);
}

TEST_CASE("berth-config: the job's fault ends it at once, with a hint") {
  const Runner runner(k_minimal, "allowed_images: [ruby]");
  const Child::Result result = runner.run();
  CHECK(result.code == 1);
  CHECK(result.output.empty());
  CHECK_THAT(result.errors, StartsWith("ERROR: job error: no image: "));
  CHECK_THAT(result.errors, ContainsSubstring("\nHINT: "));
  CHECK(support::read_file(runner.tmpdir / "build_exit_code", 10) == "1\n");
}

TEST_CASE("berth-config: a damaged response or bad settings are tried again") {
  Child::Result result = Runner(R"({"id":7,"variables":[{"key":"A","value":"secr)").run();
  CHECK(result.code == 2);
  CHECK(result.output.empty());
  CHECK_THAT(result.errors, ContainsSubstring("it ends too early"));
  CHECK(result.errors.find("secr") == std::string::npos);
  result = Runner(k_minimal, "imgae: x").run();
  CHECK(result.code == 2);
  CHECK_THAT(result.errors, StartsWith("ERROR: operator error: "));
  CHECK_THAT(result.errors, ContainsSubstring("did you mean 'image'?"));
  Runner runner(k_minimal);
  std::filesystem::remove(runner.tmpdir / "response.json");
  result = runner.run();
  CHECK(result.code == 2);
  CHECK_THAT(result.errors, ContainsSubstring("response.json': No such file or directory"));
  runner.environment.erase("TMPDIR");
  CHECK(runner.run().code == 2);
}

TEST_CASE("berth-config: policy is not the job's to choose") {
  Runner runner(R"({"id":7,"image":{"name":"debian"},"services":[{"name":"docker:dind"}],
      "git_info":{"protected":false},"variables":[
      {"key":"CI_COMMIT_REF_PROTECTED","value":"true"},{"key":"privileged","value":"true"},
      {"key":"GIT_STRATEGY","value":"fetch"}]})");
  for (const char* key : {"BERTH_SETTINGS", "TMPDIR", "JOB_RESPONSE_FILE", "privileged",
                          "CI_COMMIT_REF_PROTECTED", "SYSTEM_FAILURE_EXIT_CODE", "CI_PROJECT_ID"}) {
    runner.environment[std::string("CUSTOM_ENV_") + key] = "true";
  }
  runner.environment["CUSTOM_ENV_GIT_STRATEGY"] = "fetch";
  REQUIRE(runner.run().code == 0);
  const auto plan = state::read_plan(runner.tmpdir);
  REQUIRE(plan.has_value());
  CHECK_FALSE(plan->build.privileged);
  CHECK_FALSE(plan->services.at(0).container.privileged);
  CHECK(plan->project_id == 0);
  for (const core::VolumeSpec& volume : plan->volumes) {
    CHECK_FALSE(volume.per_job);
    CHECK_FALSE(volume.name.ends_with("-protected"));
  }
}
