#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/settings/section.hpp"

using namespace berth;
using settings::Credentials;

namespace {

Credentials parsed(const std::string& lines) {
  return tests::parse_section("credentials:\n", lines).credentials;
}

std::string error_of(const std::string& lines) {
  return tests::message_of<support::OperatorError>([&] { parsed(lines); });
}

}  // namespace

TEST_CASE("settings: credentials without a word about them") {
  const Credentials defaults = settings::parse("", "f").credentials;
  CHECK(defaults == Credentials{});
  CHECK(defaults.recognise == Credentials::Recognise::all);
  CHECK(defaults.deliver == Credentials::Deliver::variables);
  CHECK(defaults.on_invalid == Credentials::OnInvalid::warn);
  CHECK(defaults.scan_artifacts == Credentials::Scan::off);
  CHECK(defaults.normalise);
  CHECK(defaults.mask);
  CHECK(defaults.shield_kubeconfig);
  CHECK(parsed("") == defaults);
}

TEST_CASE("settings: every key of credentials") {
  const Credentials all = parsed(R"(recognise: named
names: ["DEPLOY_*", TOKEN]
deliver: files
on_invalid: fail
normalise: false
mask: false
shield_paths: [/root/.docker, /root/.config/gcloud]
shield_kubeconfig: false
scan_artifacts: fail
scope:
  - variables: ["*_PROD"]
    projects: [group/shop, "infra/**"]
    environments: [production, "live/*"]
    protected_refs: true
  - variables: ["*"]
)");
  CHECK(all.recognise == Credentials::Recognise::named);
  CHECK(all.names == std::vector<std::string>{"DEPLOY_*", "TOKEN"});
  CHECK(all.deliver == Credentials::Deliver::files);
  CHECK(all.on_invalid == Credentials::OnInvalid::fail);
  CHECK_FALSE(all.normalise);
  CHECK_FALSE(all.mask);
  CHECK(all.shield_paths == std::vector<std::string>{"/root/.docker", "/root/.config/gcloud"});
  CHECK_FALSE(all.shield_kubeconfig);
  CHECK(all.scan_artifacts == Credentials::Scan::fail);
  REQUIRE(all.scope.size() == 2);
  CHECK(all.scope[0] == Credentials::Scope{.variables = {"*_PROD"},
                                           .projects = {"group/shop", "infra/**"},
                                           .environments = {"production", "live/*"},
                                           .protected_refs = true});
  CHECK(all.scope[1] == Credentials::Scope{.variables = {"*"}});
  CHECK(parsed("recognise: off").recognise == Credentials::Recognise::off);
  CHECK(parsed("deliver: off").deliver == Credentials::Deliver::off);
  CHECK(parsed("scan_artifacts: warn").scan_artifacts == Credentials::Scan::warn);
}

TEST_CASE("settings: the credentials of the example that is shipped") {
  const std::string text = support::read_file(BERTH_EXAMPLE_SETTINGS, 100000);
  const std::size_t begin = text.find("# credentials:");
  const std::size_t end = text.find("\n\n", begin);
  REQUIRE(end < text.size());
  std::string section;
  for (std::size_t at = begin; at < end;) {
    const std::size_t line = std::min(text.find('\n', at), end);
    section += text.substr(at + 2, line - at - 2) + "\n";
    at = line + 1;
  }
  Credentials expected;
  expected.names = {"DEPLOY_*"};
  expected.shield_paths = {"/root/.docker"};
  expected.scope = {{.variables = {"*_PROD"},
                     .projects = {"group/shop"},
                     .environments = {"production"},
                     .protected_refs = true}};
  CHECK(settings::parse(section, "f").credentials == expected);
}

TEST_CASE("settings: what credentials may not be") {
  CHECK(error_of("recognize: all") ==
        "f:2:3: unknown key 'recognize' in 'credentials'; did you mean 'recognise'?");
  CHECK(error_of("recognise: some") ==
        "f:2:14: 'recognise' must be all or named or off, not 'some'");
  CHECK_THAT(error_of("deliver: [files]"), ContainsSubstring("f:2:12: 'deliver'"));
  CHECK_THAT(error_of("on_invalid: stop"), ContainsSubstring("warn or fail"));
  CHECK_THAT(error_of("normalise: maybe"), ContainsSubstring("'normalise'"));
  CHECK_THAT(error_of("names: ['[']"), ContainsSubstring("'names'"));
  for (const char* path : {"relative", "/", "/a/../b", "/a:b", "/a/"})
    CHECK_THAT(error_of("shield_paths: ['" + std::string(path) + "']"),
               ContainsSubstring("absolute paths"));
  CHECK_THAT(error_of("scope:\n  - projects: [a]"), ContainsSubstring("needs `variables`"));
  CHECK_THAT(error_of("scope:\n  - variable: [a]"), ContainsSubstring("did you mean 'variables'?"));
  std::string many = "names: [";
  for (int i = 0; i < 101; ++i) many += "A" + std::to_string(i) + ",";
  CHECK_THAT(error_of(many + "]"), ContainsSubstring("101 entries"));
}
