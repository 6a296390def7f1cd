#include "executor/kubernetes/api/credentials.hpp"
#include "executor/kubernetes/api/exec_plugin.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/thrown.hpp"

#include <nlohmann/json.hpp>

using namespace berth;
using namespace berth::kubernetes;
using tests::TempDir;

namespace {

class HandClock final : public support::Clock {
 public:
  std::chrono::steady_clock::time_point now() const override { return {}; }
  std::chrono::system_clock::time_point wall() const override { return time; }
  std::chrono::system_clock::time_point time = *parse_time("2026-01-01T00:00:00Z");
};

/// Plays a credential program.
class FakePrograms final : public process::ProcessRunner {
 public:
  process::ProcessResult run(const process::ProcessSpec& spec, std::stop_token) override {
    specs.push_back(spec);
    return result;
  }
  std::vector<process::ProcessSpec> specs;
  process::ProcessResult result;
};

std::string credential(const nlohmann::json& status,
                       const std::string& version = "client.authentication.k8s.io/v1") {
  return nlohmann::json{{"kind", "ExecCredential"}, {"apiVersion", version}, {"status", status}}
      .dump();
}

struct Bench {
  std::shared_ptr<FakePrograms> programs = std::make_shared<FakePrograms>();
  HandClock clock;
  std::unique_ptr<CredentialSource> source =
      make_exec_credentials({.api_version = "client.authentication.k8s.io/v1",
                             .command = "login",
                             .args = {"token"},
                             .env = {{"A", "b"}},
                             .install_hint = "get login\nfrom there",
                             .cluster_json = R"({"server":"https://a"})",
                             .where = "user 'u' of /k"},
                            programs, clock);

  void answer(const std::string& output) {
    programs->result = {.exit_code = 0, .output = support::Secret(output)};
  }
  std::string error() {
    return tests::message_and_hint_of<support::OperatorError>([this] { source->current({}); });
  }
};

}  // namespace

TEST_CASE("A token file is read with each use, and lives through being replaced") {
  const TempDir dir;
  const std::filesystem::path file = dir.path() / "token";
  support::write_file_atomically(file, "one\n");
  const auto source = make_token_file(file, {});
  CHECK(source->current({}).token.expose() == "one");
  CHECK_FALSE(source->renew());
  support::write_file_atomically(file, "two");
  CHECK(source->renew());
  CHECK(source->current({}).token.expose() == "two");
  std::filesystem::remove(file);
  CHECK(source->current({}).token.expose() == "two");
  support::write_file_atomically(file, "\n");
  CHECK(source->current({}).token.expose() == "two");
}

TEST_CASE("A token file that was never there is the operator's matter") {
  const auto source = make_token_file("/nowhere/token", {});
  CHECK_THROWS_WITH(source->current({}), ContainsSubstring("/nowhere/token"));
  CHECK_THROWS_AS(source->current({}), support::OperatorError);
  const auto with_first = make_token_file(
      "/nowhere/token", {.token = support::Secret("given"), .certificate_pem = {}, .key_pem = {}});
  CHECK(with_first->current({}).token.expose() == "given");
}

TEST_CASE("A credential program is told all it needs and asked once") {
  Bench bench;
  bench.answer(credential({{"token", "t"}}));
  CHECK(bench.source->current({}).token.expose() == "t");
  CHECK(bench.source->current({}).token.expose() == "t");
  REQUIRE(bench.programs->specs.size() == 1);
  const process::ProcessSpec& spec = bench.programs->specs[0];
  CHECK(spec.argv == std::vector<std::string>{"login", "token"});
  REQUIRE(spec.env.size() == 2);
  CHECK(spec.env[0] == std::pair<std::string, std::string>{"A", "b"});
  CHECK(spec.env[1].first == "KUBERNETES_EXEC_INFO");
  CHECK(nlohmann::json::parse(spec.env[1].second) ==
        nlohmann::json::parse(
            R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
                "spec":{"interactive":false,"cluster":{"server":"https://a"}}})"));
  CHECK(bench.source->renew());
  bench.answer(credential({{"token", "t2"}}));
  CHECK(bench.source->current({}).token.expose() == "t2");
}

TEST_CASE("A credential is kept until a minute before its end") {
  Bench bench;
  bench.answer(
      credential({{"token", "t"}, {"expirationTimestamp", "2026-01-01T01:10:00.5+01:00"}}));
  bench.source->current({});
  bench.clock.time += std::chrono::minutes(8);
  bench.source->current({});
  CHECK(bench.programs->specs.size() == 1);
  bench.clock.time += std::chrono::minutes(1);
  bench.source->current({});
  CHECK(bench.programs->specs.size() == 2);
}

TEST_CASE("A client certificate of a program counts as a credential") {
  Bench bench;
  bench.answer(credential({{"clientCertificateData", "CRT"}, {"clientKeyData", "KEY"}}));
  const Proof proof = bench.source->current({});
  CHECK(proof.certificate_pem == "CRT");
  CHECK(proof.key_pem.expose() == "KEY");
}

TEST_CASE("A program that fails is named with its words and the way to get it") {
  Bench bench;
  bench.programs->result = {.exit_code = 3, .output = {}, .errors = "trace\nlogin first\n"};
  CHECK(bench.error() ==
        "user 'u' of /k: credential program 'login': ended with exit code 3: login first | get "
        "login from there");
  bench.programs->result = {.ended = process::ProcessResult::Ended::timeout};
  CHECK_THAT(bench.error(), ContainsSubstring("did not end within a minute"));
  bench.programs->result = {.signal = 9};
  CHECK_THAT(bench.error(), ContainsSubstring("killed by signal 9"));
}

TEST_CASE("What a program prints is checked and never quoted") {
  Bench bench;
  const auto refused = [&](const std::string& output, const char* why) {
    bench.answer(output);
    CHECK_THAT(bench.error(), ContainsSubstring(why) && !ContainsSubstring("geheim"));
  };
  refused("geheim", "is not JSON");
  refused(R"({"kind":"Secret","token":"geheim"})", "no ExecCredential");
  refused(credential({{"token", "geheim"}}, "client.authentication.k8s.io/v1beta1"),
          "another apiVersion than client.authentication.k8s.io/v1");
  refused(R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})",
          "has no status");
  refused(credential({{"token", 1}}), "neither a token nor a client certificate");
  refused(credential({{"clientKeyData", "geheim"}}), "without its key, or the reverse");
  refused(credential({{"token", "geheim"}, {"expirationTimestamp", "soon"}}), "is not a time");
}

TEST_CASE("A real program is started, with its own standard error in the words") {
  const TempDir dir;
  const std::filesystem::path program = dir.path() / "login";
  support::write_file_atomically(
      program,
      "#!/bin/sh\n[ \"$1\" = ok ] || { echo 'no such account' >&2; exit 1; }\n"
      "printf '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
      "\"status\":{\"token\":\"%s\"}}' \"$TOKEN\"\n",
      0755);
  ExecPlugin plugin{.api_version = "client.authentication.k8s.io/v1",
                    .command = program.string(),
                    .args = {"ok"},
                    .env = {{"TOKEN", "from-env"}}};
  const std::shared_ptr<process::ProcessRunner> runner = process::make_process_runner();
  CHECK(make_exec_credentials(plugin, runner)->current({}).token.expose() == "from-env");
  plugin.args = {};
  CHECK_THROWS_WITH(make_exec_credentials(plugin, runner)->current({}),
                    ContainsSubstring("exit code 1: no such account"));
  plugin.command = "berth-no-such-program";
  CHECK_THROWS_AS(make_exec_credentials(plugin, runner)->current({}), support::OperatorError);
}

TEST_CASE("Times are read as RFC 3339 has them") {
  const auto seconds = [](const char* text) -> long {
    const auto time = parse_time(text);
    return time ? static_cast<long>(std::chrono::system_clock::to_time_t(*time)) : -1;
  };
  CHECK(seconds("1970-01-01T00:01:00Z") == 60);
  CHECK(seconds("1970-01-01T01:01:00.999+01:00") == 60);
  CHECK(seconds("1969-12-31T19:01:00-05:00") == 60);
  CHECK(seconds("1970-01-01T00:01:00") == -1);
  CHECK(seconds("1970-01-01") == -1);
  CHECK(seconds("1970-01-01T00:01:00Zx") == -1);
}
