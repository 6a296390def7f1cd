#include "executor/gitlab/job_response.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/thrown.hpp"

#include <fmt/format.h>

using namespace berth;
using gitlab::parse_job_response;
using Words = std::vector<std::string>;

namespace {

// As the runner writes it (common/spec/spec.go, one line, Go's escapes).
constexpr std::string_view k_full = R"({
 "id": 7, "token": "job-token", "allow_git_fetch": true,
 "job_info": {"name": "test \u003cx\u003e", "stage": "test", "project_id": 42,
   "project_name": "polls", "project_full_path": "group/polls", "pipeline_id": 5,
   "user_id": 1, "time_in_queue_seconds": 0.5, "project_jobs_running_on_instance_runners_count": "0"},
 "git_info": {"repo_url": "https://u:p@git/x.git", "ref": "main", "sha": "0123456789abcdef",
   "before_sha": "0", "ref_type": "branch", "refspecs": null, "depth": 20, "protected": true},
 "runner_info": {"uuid": "u-1", "timeout": 3600},
 "inputs": {},
 "variables": [
   {"key": "CI", "value": "true", "public": true, "file": false, "masked": false, "raw": false},
   {"key": "CERT", "value": "-----", "public": false, "file": true, "masked": true, "raw": true}],
 "steps": [{"name": "script", "script": ["true"], "timeout": 3600, "when": "on_success"}],
 "image": {"name": "debian:bookworm", "alias": "b", "command": ["c"], "entrypoint": [""],
   "ports": [{"number": 80}], "variables": null, "pull_policy": ["never", "always"],
   "executor_opts": {"docker": {"platform": "linux/arm64", "user": "dev"},
                     "kubernetes": {"user": "1000"}}},
 "services": [
   {"name": "postgres:15", "alias": "db,pg", "command": null, "entrypoint": ["/e", "-x"],
    "variables": [{"key": "POSTGRES_DB", "value": "$DB", "public": true}], "pull_policy": null,
    "executor_opts": {"docker": {"platform": "", "user": ""}, "kubernetes": {"user": ""}}},
   {"name": "redis"}],
 "artifacts": null, "cache": null,
 "credentials": [
   {"type": "registry", "url": "registry.example.com", "username": "gitlab-ci-token", "password": "pw"},
   {"type": "other", "url": "x", "username": "y", "password": "z"}],
 "dependencies": null, "features": {"trace_sections": true},
 "secrets": {"DB_PASSWORD": {"vault": {}}, "API_KEY": {}},
 "policy_options": {}, "a_key_of_tomorrow": [1, {"x": null}]
})";

std::string message(std::string_view json) {
  return tests::message_of<support::SystemError>([&] { parse_job_response(json, "r.json"); });
}

}  // namespace

TEST_CASE("job response: all of it") {
  const core::Job job = parse_job_response(k_full, "r.json");
  CHECK(job.id == 7);
  CHECK(job.allow_git_fetch);
  CHECK(job.name == "test <x>");
  CHECK(job.stage == "test");
  CHECK(job.project_id == 42);
  CHECK(job.project_name == "polls");
  CHECK(job.project_full_path == "group/polls");
  CHECK(job.pipeline_id == 5);
  CHECK(job.ref == "main");
  CHECK(job.sha == "0123456789abcdef");
  CHECK(job.ref_protected);
  CHECK(job.timeout == std::chrono::seconds(3600));
  CHECK(job.runner_uuid == "u-1");
  REQUIRE(job.variables.all().size() == 2);
  CHECK(job.variables.all()[0] == core::Variable{.key = "CI", .value = "true", .is_public = true});
  CHECK(job.variables.all()[1] ==
        core::Variable{.key = "CERT", .value = "-----", .file = true, .masked = true, .raw = true});
  REQUIRE(job.image.has_value());
  CHECK(*job.image == core::Image{.name = "debian:bookworm",
                                  .alias = "b",
                                  .entrypoint = Words{""},
                                  .command = Words{"c"},
                                  .pull_policy = {"never", "always"},
                                  .docker_platform = "linux/arm64",
                                  .docker_user = "dev",
                                  .kubernetes_user = "1000"});
  REQUIRE(job.services.size() == 2);
  CHECK(job.services[0] ==
        core::Image{.name = "postgres:15",
                    .alias = "db,pg",
                    .entrypoint = Words{"/e", "-x"},
                    .variables = {{.key = "POSTGRES_DB", .value = "$DB", .is_public = true}}});
  CHECK(job.services[1] == core::Image{.name = "redis"});
  REQUIRE(job.credentials.size() == 1);
  CHECK(job.credentials[0].url == "registry.example.com");
  CHECK(job.credentials[0].username == "gitlab-ci-token");
  CHECK(job.credentials[0].password.expose() == "pw");
  CHECK(job.secret_keys == Words{"API_KEY", "DB_PASSWORD"});
}

TEST_CASE("job response: id 0, project 0 and a token are enough") {
  const core::Job job = parse_job_response(
      R"({"id":0,"job_info":{"project_id":0},"git_info":null,"image":{"name":""},"services":null,
          "variables":[{"key":"CI_JOB_TOKEN","value":"t"}]})",
      "r.json");
  CHECK(job.id == 0);
  CHECK(job.project_id == 0);
  CHECK_FALSE(job.image.has_value());
  CHECK(job.timeout == std::chrono::seconds(7200));
  CHECK_FALSE(job.ref_protected);
  CHECK_FALSE(job.allow_git_fetch);
  CHECK(job.variables.get("CI_JOB_TOKEN") == "t");
  CHECK_NOTHROW(parse_job_response(R"({"id":0})", "r.json"));
}

TEST_CASE("job response: the timeout is never zero nor endless") {
  const auto timeout = [](const char* value) {
    return parse_job_response(fmt::format(R"({{"id":1,"runner_info":{{"timeout":{}}}}})", value),
                              "r")
        .timeout.count();
  };
  CHECK(timeout("0") == 7200);
  CHECK(timeout("-5") == 7200);
  CHECK(timeout("null") == 7200);
  CHECK(timeout("1") == 1);
  CHECK(timeout("9223372036854775807") == 315360000);
}

TEST_CASE("job response: an older GitLab says by a variable whether the ref is protected") {
  const auto is_protected = [](const std::string& git_info, const std::string& variables) {
    return parse_job_response(
               R"({"id":1,"git_info":)" + git_info + R"(,"variables":)" + variables + "}", "r")
        .ref_protected;
  };
  const std::string sent = R"([{"key":"CI_COMMIT_REF_PROTECTED","value":"true"}])";
  const std::string overridden =
      R"([{"key":"CI_COMMIT_REF_PROTECTED","value":"false"},
          {"key":"CI_COMMIT_REF_PROTECTED","value":"true"}])";
  CHECK(is_protected(R"({"protected":null})", sent));
  CHECK(is_protected("null", sent));
  CHECK_FALSE(is_protected(R"({"protected":false})", sent));
  CHECK(is_protected(R"({"protected":true})", "null"));
  // The job's own definition comes behind GitLab's.
  CHECK_FALSE(is_protected("null", overridden));
}

TEST_CASE("job response: damaged files") {
  CHECK(message("") == "not valid JSON: 'r.json': line 1, column 1: it ends too early");
  CHECK(message("no json") == "not valid JSON: 'r.json': line 1, column 2: unexpected character");
  CHECK_THAT(message("[1]"), StartsWith("unexpected JSON: 'r.json': "));
  CHECK_THAT(message("null"), StartsWith("unexpected JSON: 'r.json': "));
  CHECK_THAT(message("{}"), ContainsSubstring("'id' not found"));
  CHECK_THAT(message(R"({"id":"7"})"), StartsWith("unexpected JSON"));
  CHECK_THAT(message(R"({"id":1.5})"), StartsWith("unexpected JSON"));
  CHECK_THAT(message(R"({"id":18446744073709551615})"), ContainsSubstring("too large"));
  CHECK_THAT(message(R"({"id":1,"variables":{}})"), ContainsSubstring("(/variables)"));
  CHECK_THAT(message(R"({"id":1,"variables":["x"]})"), ContainsSubstring("(/variables/0)"));
  CHECK_THAT(message(R"({"id":1,"variables":[{"value":"x"}]})"),
             ContainsSubstring("'key' not found"));
  CHECK_THAT(message(R"({"id":1,"services":[3]})"), ContainsSubstring("(/services/0)"));
  CHECK_THAT(message(R"({"id":1,"image":"x"})"), ContainsSubstring("(/image)"));
  CHECK_THAT(message(R"({"id":1,"git_info":{"protected":"yes"}})"),
             ContainsSubstring("(/git_info/protected)"));
}

TEST_CASE("job response: cut anywhere, it is an error and shows nothing of its content") {
  for (std::size_t length = 0; length < k_full.size(); ++length) {
    const std::string text = message(k_full.substr(0, length));
    // The last cut leaves out the closing brace alone.
    CHECK_THAT(text, StartsWith("not valid JSON: 'r.json': line "));
    CHECK(text.find("token") == std::string::npos);
    CHECK(text.find("pw") == std::string::npos);
  }
}

TEST_CASE("job response: an error about a secret does not tell it") {
  const std::string text =
      message(R"({"id":1,"variables":[{"key":"P","value":"hunter2","public":"hunter2"}]})");
  CHECK_THAT(text, ContainsSubstring("(/variables/0/public)"));
  CHECK(text.find("hunter2") == std::string::npos);
}

TEST_CASE("job response: missing file, and no name for it") {
  const tests::TempDir directory;
  const auto file = directory.path() / "response.json";
  CHECK_THROWS_AS(gitlab::read_job_response(file), support::SystemError);
  CHECK_THROWS_WITH(gitlab::read_job_response(file),
                    ContainsSubstring("cannot read: '" + file.native()));
  CHECK_THROWS_WITH(gitlab::read_job_response({}), "JOB_RESPONSE_FILE is not set");
  support::write_file_atomically(file, "{\"id\": 9}\n");
  CHECK(gitlab::read_job_response(file).id == 9);
}
