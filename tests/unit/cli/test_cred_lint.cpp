#include "cli/cred_lint.hpp"
#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace berth;

namespace {

std::vector<cli::LintFinding> found_in(const std::string& text) {
  return cli::lint_credentials("ci.yml", text,
                               std::chrono::sys_days(std::chrono::year(2026) / 6 / 15));
}

/// The remarks on one command.
std::vector<std::string> remarks(const std::string& command) {
  std::vector<std::string> all;
  for (const auto& one : found_in("job:\n  script:\n    - |\n      " + command + "\n"))
    all.push_back(one.text);
  return all;
}

bool says(const std::string& command, const std::string& words) {
  return std::ranges::any_of(remarks(command), [&](const std::string& text) {
    return text.find(words) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("lint: commands that break or show credentials") {
  CHECK(says("echo $KEY | base64 -d > /tmp/key", "without quotes"));
  CHECK(says("echo ${KEY} | base64 --decode > /tmp/key", "without quotes"));
  CHECK(says("echo \"$KEY\" | base64 -D > /tmp/key", "macOS"));
  CHECK(says("echo \"$KEY\" | base64 -d > key.json", "checkout"));
  CHECK(says("echo \"$KEY\" | base64 -d > ./deploy/key.json", "checkout"));
  CHECK(says("echo \"$KEY\" | base64 -d", "printed"));
  CHECK(says("docker login -u me -p $PASSWORD registry.example.com", "arguments"));
  CHECK(says("docker login --username me --password=$PASSWORD", "arguments"));
  CHECK(says("kubectl --token=$TOKEN get pods", "arguments"));
  CHECK(says("curl -u \"me:$PASSWORD\" https://example.com", "arguments"));
}

TEST_CASE("lint: commands that are well") {
  for (const char* command :
       {"echo \"$KEY\" | base64 -d > \"$HOME/key\"", "echo \"$KEY\" | base64 -d > ~/.kube/config",
        "echo \"$KEY\" | base64 -d > /run/key", "base64 -d <<< \"$KEY\" | kubectl apply -f -",
        "echo \"$PASSWORD\" | docker login -u me --password-stdin", "kubectl get pods",
        "curl -u me: https://example.com", "echo $NAME | base64", "set -e"}) {
    INFO(command);
    CHECK(remarks(command).empty());
  }
}

TEST_CASE("lint: a trace of what is decoded, in the same script alone") {
  const auto all = found_in(
      "a:\n  script:\n    - set -ex\n    - K=$(echo \"$KEY\" | base64 -d)\n"
      "b:\n  before_script: [set -x]\n  script:\n    - K=$(echo \"$KEY\" | base64 -d)\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].where == "a: script");
  CHECK(all[0].line == 4);
  CHECK_THAT(all[0].text, ContainsSubstring("`set -x`"));
}

TEST_CASE("lint: credentials that stand in the file, and not a piece of them") {
  const std::string netrc = "machine git.example.com login me password Lp5canaryNetrc66Dw\n";
  const auto all = found_in(
      "variables:\n  A: '" + support::base64_encode(netrc) +
      "'\n  B: {value: 'production', description: x}\njob:\n  variables:\n    C: {value: '" +
      support::base64_encode(netrc) +
      "'}\n  hooks: {pre_get_sources_script: ['echo $X | base64 -d > /x']}\n"
      "  after_script: ['printf -- \"-----BEGIN EC PRIVATE KEY-----\"']\n");
  REQUIRE(all.size() == 4);
  CHECK(all[0].where == "variables: A");
  CHECK(all[0].line == 2);
  CHECK(all[1].where == "job: after_script");
  CHECK(all[2].where == "job: variables: C");
  CHECK(all[3].where == "job: pre_get_sources_script");
  for (const auto& one : all) CHECK(one.text.find("canary") == std::string::npos);
}

TEST_CASE("lint: what is no pipeline is an error") {
  CHECK_THROWS(found_in("a: [\n"));
  CHECK_THROWS(found_in("- list\n"));
  CHECK(found_in("job:\n  script: echo\n").empty());
}
