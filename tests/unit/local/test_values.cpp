#include "cli/local/runner/cache_key.hpp"
#include "cli/local/runner/durations.hpp"
#include "cli/local/runner/payload.hpp"
#include "cli/local/runner/url.hpp"
#include "cli/local/runner/variables.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden.hpp"

using namespace berth::local::runner;
using namespace std::chrono_literals;

TEST_CASE("values are expanded once, as Go's os.Expand does") {
  VariableList list;
  list.add({.key = "A", .value = "first"});
  list.add({.key = "A", .value = "last"});
  list.add({.key = "NESTED", .value = "$A"});
  list.add({.key = "CERT", .value = "content", .file = true});
  list.add({.key = "RUNNER_TEMP_PROJECT_DIR", .value = "/b/p.tmp"});
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"$A", "last"},
      {"${A}x", "lastx"},
      {"$NESTED", "$A"},
      {"$MISSING-", "-"},
      {"a$$b", "a$b"},
      {"$$A", "$A"},
      {"$1$*$#$@$!$?$-$0.", "."},
      {"${1}", ""},
      {"${", ""},
      {"${A", "A"},
      {"${}x", "x"},
      {"cost: 5$", "cost: 5$"},
      {"$ A", "$ A"},
      {"$.", "$."},
      {"${CERT}_X", "/b/p.tmp/CERT_X"},
      {"%A%", "%A%"},
      {"$A$A", "lastlast"},
  }));
  CAPTURE(text);
  CHECK(list.expand(text) == expected);
}

TEST_CASE("a raw variable is left alone") {
  VariableList list;
  list.add({.key = "A", .value = "1"});
  list.add({.key = "RAW", .value = "$A$$", .raw = true});
  list.add({.key = "COOKED", .value = "$A$$"});
  CHECK(list.expanded().get("RAW") == "$A$$");
  CHECK(list.expanded().get("COOKED") == "1$");
}

TEST_CASE("the first definition of a key is overwritten, and only if there is one") {
  VariableList list;
  list.add({.key = "CI_JOB_STATUS", .value = "running"});
  list.overwrite_first("CI_JOB_STATUS", "failed");
  list.overwrite_first("OTHER", "x");
  CHECK(list.get("CI_JOB_STATUS") == "failed");
  CHECK(list.all().size() == 1);
}

TEST_CASE("the response file is what Go would encode") {
  Payload payload;
  payload.id = 12;
  payload.token = "tok&en";
  payload.job_info = {.name = "test <unit>",
                      .stage = "test",
                      .pipeline_id = 3,
                      .project_id = 4,
                      .project_name = "polls",
                      .project_full_path = "group/polls"};
  payload.git_info = {.repo_url = "http://h/group/polls.git",
                      .ref = "main",
                      .sha = "abc",
                      .before_sha = "000",
                      .refspecs = {"+refs/heads/main:refs/remotes/origin/main"},
                      .depth = 20,
                      .is_protected = true};
  payload.variables = {{.key = "BAD", .value = "a\xFFz", .is_public = true, .masked = true},
                       {.key = "HIDDEN", .value = "x", .internal = true},
                       {.key = "F", .value = "l1\nl2", .file = true, .raw = true}};
  payload.steps = {{.name = "script", .script = {"echo \"a\" && true"}, .timeout = 3600}};
  payload.image = {
      .name = "img", .entrypoint = std::vector<std::string>{""}, .pull_policy = {"if-not-present"}};
  payload.services = {{.name = "postgres:15",
                       .alias = "db",
                       .command = {"-c", "x"},
                       .variables = {{.key = "V", .value = "1", .is_public = true}}}};
  payload.artifacts = {{.paths = {"out/"}}};
  payload.cache = {{.key = "k", .paths = {"v"}, .fallback_keys = {"f"}}};
  payload.credentials = {{.url = "registry.example", .username = "u", .password = "p"}};
  payload.dependencies = {
      {.id = 9, .token = "t", .name = "build", .filename = "artifacts.zip", .size = 5}};
  payload.hooks = {{.name = "pre_get_sources_script", .script = {"true"}}};
  berth::tests::check_golden("local/response.json", response_file(payload));
}

TEST_CASE("an empty job has nulls where GitLab sent nothing") {
  const std::string json = response_file({});
  CHECK_THAT(json, ContainsSubstring(
                       R"("variables":null,"steps":null,"image":{"name":"","executor_opts":)"));
  CHECK_THAT(
      json,
      ContainsSubstring(
          R"("services":null,"artifacts":null,"cache":null,"credentials":null,"dependencies":null)"));
  CHECK(json.back() == '\n');
}

TEST_CASE("CI_JOB_SERVICES holds the first alias and expanded variables") {
  VariableList variables;
  variables.add({.key = "PASSWORD", .value = "s3cret"});
  const std::vector<Image> services{
      {.name = "postgres:15",
       .alias = "db, other",
       .variables = {{.key = "P", .value = "$PASSWORD"}, {.key = "Q", .value = "$P!"}}},
      {.name = "redis"}};
  CHECK(
      services_json(services, variables) ==
      R"([{"name":"postgres:15","alias":"db","entrypoint":null,"command":null,"variables":{"P":"s3cret","Q":"$PASSWORD!"}},)"
      R"({"name":"redis","alias":"","entrypoint":null,"command":null}])");
  CHECK(services_json({}, variables).empty());
}

TEST_CASE("cache keys stay below the cache directory") {
  const auto [key, clean] = GENERATE(table<std::string, std::string>({
      {"plain-key", "plain-key"},
      {"a/b", "a/b"},
      {"../../etc", "etc"},
      {"a/../../b", "b"},
      {"a%2f%2E%2e%2Fb", "b"},
      {"back\\slash", "back/slash"},
      {"trailing  ", "trailing"},
      {"a/ ", "a"},
      {"a//b/./c/", "a/b/c"},
  }));
  CAPTURE(key);
  CHECK(sanitize_cache_key(key) == clean);
}

TEST_CASE("cache keys of which nothing is left") {
  CHECK_FALSE(sanitize_cache_key(".."));
  CHECK_FALSE(sanitize_cache_key("/"));
  CHECK_FALSE(sanitize_cache_key("  "));
  CHECK_FALSE(sanitize_cache_key(""));
}

TEST_CASE("a hashed key is SHA-256 in hex") {
  CHECK(hashed_cache_key("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("durations are read as Go does") {
  CHECK(parse_go_duration("5s") == 5000ms);
  CHECK(parse_go_duration("1h30m") == 90min);
  CHECK(parse_go_duration("1.5s") == 1500ms);
  CHECK(parse_go_duration("-2m") == -2min);
  CHECK(parse_go_duration("0") == 0ms);
  CHECK_FALSE(parse_go_duration("5"));
  CHECK_FALSE(parse_go_duration("5 minutes"));
  CHECK_FALSE(parse_go_duration(""));
}

TEST_CASE("addresses are taken apart") {
  const auto url = parse_url("https://user:pass@host:8443/a/b.git?x=1");
  REQUIRE(url);
  CHECK(url->host == "host:8443");
  CHECK(url->user_info == "user:pass");
  CHECK(url->without_user().text() == "https://host:8443/a/b.git?x=1");
  CHECK(url->base().text() == "https://host:8443");
  CHECK_FALSE(parse_url("/srv/git/x.git"));
}
