#include "executor/environments/request.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace berth;
using namespace berth::environments;

namespace {

core::Job job(std::vector<std::pair<std::string, std::string>> variables) {
  core::Job result;
  result.id = 7;
  result.project_id = 3;
  result.project_full_path = "shop/web";
  result.pipeline_id = 40;
  result.ref = "main";
  result.sha = "0123456789";
  result.ref_protected = true;
  for (auto& [key, value] : variables) result.variables.set({.key = key, .value = value});
  return result;
}

}  // namespace

TEST_CASE("request: a job without environment asks for nothing") {
  CHECK_FALSE(request_of(job({})).has_value());
  CHECK_FALSE(request_of(job({{"CI_ENVIRONMENT_NAME", ""}})).has_value());
}

TEST_CASE("request: what the payload says") {
  const auto request = request_of(job({{"CI_ENVIRONMENT_NAME", "production"},
                                       {"CI_ENVIRONMENT_SLUG", "production"},
                                       {"CI_ENVIRONMENT_TIER", "production"},
                                       {"CI_ENVIRONMENT_ACTION", "start"},
                                       {"CI_ENVIRONMENT_URL", "https://shop"},
                                       {"GITLAB_USER_LOGIN", "release-bot"},
                                       {"CI_PIPELINE_SOURCE", "web"},
                                       {"CI_JOB_URL", "https://gitlab/7"}}));
  CHECK(request == Request{.environment = "production",
                           .slug = "production",
                           .tier = "production",
                           .action = Action::start,
                           .url = "https://shop",
                           .user = "release-bot",
                           .project = "shop/web",
                           .project_id = 3,
                           .ref = "main",
                           .ref_protected = true,
                           .sha = "0123456789",
                           .source = "web",
                           .pipeline = 40,
                           .job = 7,
                           .job_url = "https://gitlab/7"});
  const Deployment record = deployment_of(*request, "abc");
  CHECK(record.id == "abc");
  CHECK(record.environment == "production");
  CHECK(record.user == "release-bot");
  CHECK(record.job_url == "https://gitlab/7");
  CHECK(record.result == Result::running);
}

TEST_CASE("request: GitLab's own variables may stand twice, if they agree") {
  CHECK(request_of(job({{"CI_ENVIRONMENT_NAME", "production"},
                        {"OTHER", "x"},
                        {"CI_ENVIRONMENT_NAME", "production"}}))
            ->environment == "production");
}

TEST_CASE("request: a job cannot pass for another") {
  for (const char* key : {"CI_ENVIRONMENT_NAME", "CI_ENVIRONMENT_ACTION", "CI_ENVIRONMENT_TIER",
                          "GITLAB_USER_LOGIN", "CI_PIPELINE_SOURCE", "CI_ENVIRONMENT_SLUG"}) {
    INFO(key);
    // Before GitLab's, as in YAML variables, and behind it, as of the project.
    for (const bool before : {true, false}) {
      std::vector<std::pair<std::string, std::string>> all{
          {"CI_ENVIRONMENT_NAME", "production"}, {"CI_ENVIRONMENT_ACTION", "start"},
          {"CI_ENVIRONMENT_TIER", "production"}, {"CI_ENVIRONMENT_SLUG", "production"},
          {"GITLAB_USER_LOGIN", "stranger"},     {"CI_PIPELINE_SOURCE", "push"}};
      all.insert(before ? all.begin() : all.end(), {key, "verify"});
      CHECK(tests::message_of<support::JobError>([&] { request_of(job(all)); }) ==
            "the pipeline gives a variable of GitLab's own another value: '" + std::string(key) +
                "'");
    }
  }
}

TEST_CASE("request: a freeze of the project, whoever says so") {
  CHECK_FALSE(request_of(job({{"CI_ENVIRONMENT_NAME", "p"}}))->gitlab_freeze);
  CHECK(
      request_of(job({{"CI_ENVIRONMENT_NAME", "p"}, {"CI_DEPLOY_FREEZE", "true"}}))->gitlab_freeze);
  // A job cannot talk it away.
  CHECK(request_of(job({{"CI_ENVIRONMENT_NAME", "p"},
                        {"CI_DEPLOY_FREEZE", "true"},
                        {"CI_DEPLOY_FREEZE", ""}}))
            ->gitlab_freeze);
}

TEST_CASE("action: the words of GitLab") {
  CHECK(action_of("") == Action::start);
  for (const Action action :
       {Action::start, Action::prepare, Action::verify, Action::access, Action::stop}) {
    CHECK(action_of(to_string(action)) == action);
    CHECK(is_deployment(action) == (action == Action::start || action == Action::stop));
  }
  CHECK_THROWS_AS(action_of("restart"), support::JobError);
}
