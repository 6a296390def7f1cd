#include "cli/local/dotenv.hpp"
#include "cli/local/local_settings.hpp"
#include "cli/local/masker.hpp"
#include "cli/local/pattern_masker.hpp"
#include "cli/local/report.hpp"
#include "cli/local/run_facts.hpp"
#include "cli/local/variables_file.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

using namespace berth::local;

TEST_CASE("secrets are masked wherever the stream is cut") {
  const std::vector<std::string> secrets{"hunter22", "hunter22-long", "22-x", "aaab", ""};
  const std::string text = "a hunter22 b hunter22-longer c hunter22-x aaaab hunter2";
  const std::string expected = "a [MASKED] b [MASKED]er c [MASKED]-x a[MASKED] hunter2";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); second += 7) {
      std::string got;
      Masker masker(secrets, [&got](std::string_view bytes) { got += bytes; });
      masker.feed(text.substr(0, first));
      masker.feed(text.substr(first, second - first));
      masker.feed(text.substr(second));
      masker.flush();
      REQUIRE(got == expected);
    }
  }
}

TEST_CASE("what cannot be a secret is passed on at once") {
  std::string got;
  Masker masker({"password"}, [&got](std::string_view bytes) { got += bytes; });
  masker.feed("prompt> pass");
  CHECK(got == "prompt> ");
  masker.feed("ive");
  CHECK(got == "prompt> passive");
}

TEST_CASE("a secret that begins a longer one is masked when the stream pauses") {
  std::string got;
  Masker masker({"abcd", "abcdefgh"}, [&got](std::string_view bytes) { got += bytes; });
  masker.feed("xabcdef");
  masker.flush();
  CHECK(got == "x[MASKED]ef");
}

TEST_CASE("what looks like a credential is masked, wherever the stream is cut") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"a glpat-AZaz09-._= b", "a glpat-[MASKED] b"},
      {"glrt-1 glrtr-2\nxglcbt-3\033[0m", "glrt-[MASKED] glrtr-[MASKED]\nxglcbt-[MASKED]\033[0m"},
      {"_gitlab_session=abc; gglft-x", "_gitlab_session=[MASKED]; gglft-[MASKED]"},
      {"glpat- glpa-x glp", "glpat- glpa-x glp"},
      {"glpat-[MASKED].", "glpat-[MASKED]."},
      {"?private_token=abc/d&a=b&X-AMZ-Signature=e end",
       "?private_token=[MASKED]&a=b&X-AMZ-Signature=[MASKED] end"},
      {"?rss_token=glpat-1?rss_tokens=2", "?rss_token=[MASKED]?rss_tokens=2"},
      {"private_token=abc ?private_token=", "private_token=abc ?private_token="},
      {"&&x-amz-security-token=%2F\r\n", "&&x-amz-security-token=[MASKED]\r\n"},
  }));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string got;
    PatternMasker masker([&got](std::string_view bytes) { got += bytes; });
    masker.feed(std::string_view(text).substr(0, cut));
    masker.feed(std::string_view(text).substr(cut));
    masker.flush();
    CAPTURE(cut);
    CHECK(got == expected);
  }
}

TEST_CASE("dotenv reports give variables") {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(parse_dotenv("# words\nA=1\n\n B = two words \r\nC=\"quo=ted\"\nD=\nA='again'") ==
        Pairs{{"A", "1"}, {"B", "two words"}, {"C", "quo=ted"}, {"D", ""}, {"A", "again"}});
  CHECK(parse_dotenv("").empty());
  CHECK_THROWS_WITH(parse_dotenv("A=1\nnonsense\n"), "line 2 is not KEY=value");
  CHECK_THROWS_WITH(parse_dotenv("A-B=1"), "line 1 is not KEY=value");
}

TEST_CASE("a variables file has two forms") {
  berth::tests::TempDir dir;
  std::ofstream(dir.path() / "kube") << "line\n";
  SECTION("a map") {
    const auto all = parse_variables_file(
        "PLAIN: 12\nTOKEN: {value: s3cret, masked: true, raw: true}\n"
        "KUBE: {from_file: kube, file: true, environment_scope: prod/*, protected: true}\nEMPTY:\n",
        "vars.yml", dir.path());
    REQUIRE(all.size() == 4);
    CHECK(all[0].variable == berth::core::Variable{.key = "PLAIN", .value = "12"});
    CHECK(all[1].variable.masked);
    CHECK(all[1].variable.raw);
    CHECK(all[2].variable.value == "line\n");
    CHECK(all[2].variable.file);
    CHECK(all[3].variable.value.empty());
    CHECK(visible(all, true, "prod/eu").size() == 4);
    CHECK(visible(all, true, "test").size() == 3);
    CHECK(visible(all, false, "prod/eu").size() == 3);
    CHECK(visible(all, true, "").size() == 3);
  }
  SECTION("the API's list, as JSON") {
    const auto all = parse_variables_file(
        R"([{"key":"K","value":"v","variable_type":"file","masked":true,"hidden":false,"raw":false,
             "protected":true,"environment_scope":"*","description":null}])",
        "vars.json", dir.path());
    REQUIRE(all.size() == 1);
    CHECK(all[0].variable ==
          berth::core::Variable{.key = "K", .value = "v", .file = true, .masked = true});
    CHECK(all[0].is_protected);
  }
  SECTION("errors have a place") {
    const auto [text, message] = GENERATE(table<std::string, std::string>({
        {"A: {valu: x}", "vars:1:5"},
        {"A: 1\n1-B: 2", "vars:2:1"},
        {"A: [1]", "vars:1:4"},
        {"A: {value: x, masked: perhaps}", "vars:1:23"},
        {"- {value: x}", "vars:1:3"},
        {"- {key: A, variable_type: odd}", "vars:1:27"},
        {"just words", "vars:1:1"},
    }));
    CAPTURE(text);
    CHECK_THROWS_WITH(parse_variables_file(text, "vars", dir.path()), StartsWith(message));
  }
  SECTION("a file that is not there") {
    CHECK_THROWS_WITH(parse_variables_file("A: {from_file: nowhere}", "vars", dir.path()),
                      ContainsSubstring("nowhere"));
  }
}

TEST_CASE("local images are preferred unless the settings say otherwise") {
  const auto policy = [](const std::string& yaml) {
    return berth::settings::parse(with_default_pull_policy(yaml, "berth.yaml"), "berth.yaml")
        .policy.pull_policies;
  };
  const std::vector<std::string> preferred{"if-not-present"};
  CHECK(policy("") == preferred);
  CHECK(policy("backend: docker") == preferred);
  CHECK(policy("docker:\n") == preferred);
  CHECK(policy("docker:\norphan_timeout: 5m\n") == preferred);
  CHECK(policy("docker:\n    image: \"busybox\"\nbackend: docker\n") == preferred);
  CHECK(policy("# words\ndocker: {image: busybox}\n") == preferred);
  CHECK(policy("docker: {}\n") == preferred);
  CHECK(policy("{docker: {image: busybox}, backend: docker}") == preferred);
  CHECK(policy("backend: kubernetes\n") == preferred);
  CHECK(policy("backend: kubernetes\nkubernetes:\n  namespace: ci\n") == preferred);
  CHECK(policy("docker:\n  pull_policy: always\n") == std::vector<std::string>{"always"});
  CHECK(with_default_pull_policy("docker:\n  image: \"1\" # one\n", "x") ==
        "docker:\n  pull_policy: if-not-present\n  image: \"1\" # one\n");
}

TEST_CASE("the report has the fields that scripts read") {
  const std::vector<JobReport> jobs{
      {.name = "test",
       .stage = "test",
       .status = Status::failed,
       .allow_failure = true,
       .exit_code = 3,
       .failure_reason = "script_failure",
       .duration = std::chrono::milliseconds(1234),
       .driver = std::chrono::microseconds(345678),
       .tries = 2,
       .log = "/logs/1-test.log"},
      {.name = "deploy", .stage = "deploy", .status = Status::manual}};
  const auto report = nlohmann::json::parse(report_json(Status::success, jobs));
  CHECK(report.at("status") == "success");
  CHECK(report.at("jobs").at(0) ==
        nlohmann::json::parse(
            R"({"name":"test","stage":"test","status":"failed","allow_failure":true,"exit_code":3,
                "failure_reason":"script_failure","duration_s":1.234,"driver_s":0.346,"log":"/logs/1-test.log"})"));
  CHECK(report.at("jobs").at(1).at("exit_code").is_null());
  CHECK(report.at("jobs").at(1).at("log").is_null());
  CHECK(table(jobs, false) ==
        "STAGE   JOB     STATE                           DURATION     DRIVER\n"
        "test    test    failed (exit code 3), allowed     1.23 s     0.35 s  try 2\n"
        "deploy  deploy  manual                                 -          -\n");
  CHECK_THAT(table(jobs, true), ContainsSubstring("\033[33mfailed (exit code 3), allowed\033[0m"));
}

TEST_CASE("slugs are what GitLab makes of names") {
  CHECK(slug("Feature/ABC_12.x") == "feature-abc-12-x");
  CHECK(slug("-a-") == "a");
  CHECK(slug(std::string(70, 'x')) == std::string(63, 'x'));
  CHECK(slug(std::string(62, 'x') + "-y") == std::string(62, 'x'));
}

TEST_CASE("predefined variables describe commit, project and server") {
  RunFacts facts;
  facts.checkout.sha = "0123456789abcdef";
  facts.checkout.ref = "feature/x";
  facts.checkout.message = "Title\n\nBody text";
  facts.checkout.project_path = "group/sub/project";
  facts.checkout.default_branch = "main";
  facts.server_url = "http://172.17.0.1:8080";
  facts.pipeline_id = 5;
  const berth::core::Variables variables(pipeline_predefined(facts));
  CHECK(variables.get("CI_COMMIT_SHORT_SHA") == "01234567");
  CHECK(variables.get("CI_COMMIT_BRANCH") == "feature/x");
  CHECK(variables.find("CI_COMMIT_TAG") == nullptr);
  CHECK(variables.get("CI_COMMIT_REF_SLUG") == "feature-x");
  CHECK(variables.get("CI_COMMIT_TITLE") == "Title");
  CHECK(variables.get("CI_COMMIT_DESCRIPTION") == "Body text");
  CHECK(variables.get("CI_PROJECT_NAMESPACE") == "group/sub");
  CHECK(variables.get("CI_PROJECT_ROOT_NAMESPACE") == "group");
  CHECK(variables.get("CI_SERVER_HOST") == "172.17.0.1");
  CHECK(variables.get("CI_SERVER_PORT") == "8080");
  CHECK(variables.get("CI_API_V4_URL") == "http://172.17.0.1:8080/api/v4");
  facts.checkout.is_tag = true;
  const berth::core::Variables of_tag(pipeline_predefined(facts));
  CHECK(of_tag.get("CI_COMMIT_TAG") == "feature/x");
  CHECK(of_tag.find("CI_COMMIT_BRANCH") == nullptr);
  const berth::core::Variables of_job(job_predefined(facts, 7, "tok", "now", true));
  CHECK(of_job.find("CI_JOB_TOKEN")->masked);
  CHECK_FALSE(of_job.find("CI_JOB_TOKEN")->is_public);
  CHECK(of_job.get("CI_REPOSITORY_URL") ==
        "http://gitlab-ci-token:tok@172.17.0.1:8080/group/sub/project.git");
  CHECK(of_job.get("CI_JOB_MANUAL") == "true");
}
