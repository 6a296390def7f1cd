#include "cli/cred_command.hpp"
#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

using namespace berth;

namespace {

const std::string k_netrc = "machine git.example.com login deployer password Lp5canaryNetrc66Dw\n";

credentials::Finding examined(const std::string& value) {
  return credentials::examine(value, std::chrono::sys_days(std::chrono::year(2026) / 6 / 15));
}

std::string broken_in_two(std::string text) {
  return text.insert(text.size() / 2, "\r\n");
}

}  // namespace

TEST_CASE("a report names the credential, its damage and the remedy, and no secret") {
  const auto finding = examined(broken_in_two(support::base64_encode(k_netrc)));
  const std::string report = cli::cred_report("$NETRC", finding, false);
  CHECK_THAT(report, StartsWith("$NETRC: valid\n"));
  CHECK_THAT(report, ContainsSubstring("CRLF line ends"));
  CHECK_THAT(report, ContainsSubstring("  type      netrc\n  subject   for git.example.com\n"));
  CHECK_THAT(report, ContainsSubstring("`berth cred encode`"));
  const std::string json = cli::cred_report("$NETRC", finding, true);
  CHECK(nlohmann::json::parse(json).at("type") == "netrc");
  CHECK(nlohmann::json::parse(json).at("verdict") == "valid");
  for (const std::string& text : {report, json}) CHECK(text.find("canary") == std::string::npos);
}

TEST_CASE("a good value needs no remedy, and words are no credential") {
  const auto good = examined(support::base64_encode(k_netrc));
  CHECK(cli::cred_report("x", good, false).find("remedy") == std::string::npos);
  CHECK(cli::cred_report("x", examined("production"), false) == "x: not a credential\n");
}

TEST_CASE("exit codes tell good, bad and none apart") {
  const std::string encoded = support::base64_encode(k_netrc);
  CHECK(cli::cred_exit_code(examined(encoded)) == cli::k_cred_good);
  CHECK(cli::cred_exit_code(examined(encoded.substr(0, encoded.size() - 3))) == cli::k_cred_bad);
  CHECK(cli::cred_exit_code(examined("machine a login b")) == cli::k_cred_bad);
  CHECK(cli::cred_exit_code(examined("production")) == cli::k_cred_none);
}

TEST_CASE("what GitLab can mask is one line of eight characters or more") {
  CHECK(cli::cred_remarks("QUJDREVGR0g=").front() == "GitLab can mask it: one line, 12 characters");
  CHECK_THAT(cli::cred_remarks("QUJD\nREVG").front(), StartsWith("GitLab cannot mask it"));
  CHECK_THAT(cli::cred_remarks("QUJD").front(), StartsWith("GitLab cannot mask it"));
}
