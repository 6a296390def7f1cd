#include "executor/credentials/registry_logins.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <map>

using namespace berth;
using credentials::LoginSources;

namespace {

/// Helpers by "program verb input".
class FakeProcesses final : public process::ProcessRunner {
 public:
  process::ProcessResult run(const process::ProcessSpec& spec, std::stop_token) override {
    REQUIRE(spec.argv.size() == 2);
    const std::string key =
        spec.argv[0] + " " + spec.argv[1] + " " + std::string(spec.input.expose());
    calls.push_back(key);
    const auto found = replies.find(key);
    process::ProcessResult result;
    result.exit_code = found == replies.end() ? 1 : 0;
    result.output = support::Secret(
        found == replies.end() ? "credentials not found in native keychain" : found->second);
    if (found != replies.end() && found->second == "fail") {
      result.exit_code = 9;
      result.output = support::Secret("S3CRET words");
    }
    return result;
  }

  std::map<std::string, std::string> replies;
  std::vector<std::string> calls;
};

struct Bench {
  FakeProcesses processes;
  std::vector<std::string> warnings;

  credentials::RegistryLogins load(const LoginSources& sources) {
    return credentials::load_registry_logins(
        sources, processes, [&](const std::string& text) { warnings.push_back(text); }, {});
  }
};

std::string config(const std::string& server, const std::string& user_and_password) {
  return nlohmann::json{
      {"auths", {{server, {{"auth", support::base64_encode(user_and_password)}}}}}}
      .dump();
}

LoginSources from_variable(const std::string& text) {
  LoginSources sources;
  sources.auth_config = support::Secret(text);
  return sources;
}

core::RegistryCredential payload(const std::string& url, const std::string& user) {
  core::RegistryCredential credential;
  credential.url = url;
  credential.username = user;
  credential.password = support::Secret("pw");
  return credential;
}

std::string user_for(const credentials::RegistryLogins& logins, const std::string& image) {
  const credentials::RegistryLogin* login = logins.find(image);
  return login == nullptr ? "" : login->username;
}

}  // namespace

TEST_CASE("of one registry the first source wins: variable, home, payload") {
  Bench bench;
  const tests::TempDir home;
  std::filesystem::create_directory(home.path() / ".docker");
  std::ofstream(home.path() / ".docker/config.json") << config("r.example.com", "home:x");
  std::ofstream(home.path() / ".dockercfg") << config("r.example.com", "old:x");
  LoginSources sources;
  sources.home = home.path();
  sources.payload = {payload("r.example.com", "payload"),
                     payload("other.example.com", "gitlab-ci-token")};
  CHECK(bench.load(sources).find("r.example.com/a")->source ==
        (home.path() / ".docker/config.json").string());
  CHECK(user_for(bench.load(sources), "r.example.com/a") == "home");
  CHECK(bench.load(sources).find("other.example.com/a")->source == "job payload (GitLab Registry)");
  sources.auth_config = support::Secret(config("r.example.com", "variable:x"));
  CHECK(user_for(bench.load(sources), "r.example.com/a") == "variable");
  CHECK(bench.load(sources).find("r.example.com/a")->source == "$DOCKER_AUTH_CONFIG");
  CHECK(user_for(bench.load(sources), "debian") == "");
  CHECK(bench.warnings.empty());
}

TEST_CASE("of several paths the longest wins, whatever its source") {
  Bench bench;
  LoginSources sources = from_variable(config("r.example.com", "short:x"));
  sources.payload = {payload("r.example.com/group", "group"),
                     payload("r.example.com/group/project", "project")};
  const auto logins = bench.load(sources);
  CHECK(user_for(logins, "r.example.com/group/project/image:1") == "project");
  CHECK(user_for(logins, "r.example.com/group/project:1") == "project");
  CHECK(user_for(logins, "r.example.com/group/other") == "group");
  CHECK(user_for(logins, "r.example.com/groups") == "short");
  CHECK(user_for(logins, "R.Example.com/x") == "short");
}

TEST_CASE("both spellings of Docker Hub count") {
  const std::string server =
      GENERATE("https://index.docker.io/v1/", "docker.io", "index.docker.io");
  Bench bench;
  const auto logins = bench.load(from_variable(config(server, "me:x")));
  CHECK(user_for(logins, "debian:12") == "me");
  CHECK(user_for(logins, "a/b") == "me");
  CHECK(user_for(logins, "docker.io/a/b") == "me");
}

TEST_CASE("helpers are asked: the server's own, then the store") {
  Bench bench;
  bench.processes.replies = {
      {"docker-credential-own get r1", R"({"Username":"own","Secret":"s"})"},
      {"docker-credential-store list ", R"({"r1":"u","r2":"u"})"},
      {"docker-credential-store get r2", R"({"Username":"<token>","Secret":"tok"})"}};
  const auto logins = bench.load(from_variable(
      R"({"credsStore":"store","credHelpers":{"r1":"own","r9":"own"},"auths":{"r1":{"auth":"ZmlsZTp4"},"r2":{},"r3":{"auth":"ZmlsZTp4"}}})"));
  CHECK(user_for(logins, "r1.x/a") == "");
  REQUIRE(logins.all().size() == 3);
  CHECK(bench.warnings.empty());
  for (const auto& login : logins.all()) {
    if (login.registry == "r1") CHECK(login.username == "own");
    if (login.registry == "r2") CHECK(login.identity_token.expose() == "tok");
    if (login.registry == "r3") CHECK(login.username == "file");
  }
}

TEST_CASE("a helper that fails drops its source with a warning that quotes nothing") {
  Bench bench;
  bench.processes.replies = {{"docker-credential-x get r", "fail"}};
  LoginSources sources =
      from_variable(R"({"credHelpers":{"r":"x"},"auths":{"q":{"auth":"ZmlsZTp4"}}})");
  sources.payload = {payload("r", "payload")};
  const auto logins = bench.load(sources);
  REQUIRE(logins.all().size() == 1);
  CHECK(logins.all()[0].username == "payload");
  REQUIRE(bench.warnings.size() == 1);
  CHECK_THAT(bench.warnings[0], ContainsSubstring("$DOCKER_AUTH_CONFIG"));
  CHECK_THAT(bench.warnings[0], ContainsSubstring("exit status 9"));
  CHECK_THAT(bench.warnings[0], !ContainsSubstring("S3CRET"));
}

TEST_CASE("a configuration that is none is dropped with a warning; an empty one silently") {
  Bench bench;
  CHECK(bench.load(from_variable("S3CRET")).all().empty());
  REQUIRE(bench.warnings.size() == 1);
  CHECK_THAT(bench.warnings[0], !ContainsSubstring("S3CRET"));
  CHECK(bench.load(from_variable(" \n")).all().empty());
  CHECK(bench.warnings.size() == 1);
}

TEST_CASE("a helper name with a path is fatal, and nothing is run") {
  Bench bench;
  const std::string text =
      GENERATE(R"({"credsStore":"../../bin/sh"})", R"({"credHelpers":{"a":"ok","r":"x/y"}})",
               R"({"credsStore":".."})");
  CHECK_THROWS_AS(bench.load(from_variable(text)), support::JobError);
  const tests::TempDir home;
  std::ofstream(home.path() / ".dockercfg") << text;
  LoginSources sources;
  sources.home = home.path();
  CHECK_THROWS_AS(bench.load(sources), support::OperatorError);
  CHECK(bench.processes.calls.empty());
}

TEST_CASE("X-Registry-Auth is padded base64url of what the engine wants") {
  credentials::RegistryLogin login{.registry = "r",
                                   .server_address = "https://r",
                                   .username = "u",
                                   .password = support::Secret("p?>"),
                                   .source = "x"};
  const support::Secret header = credentials::registry_auth(login);
  CHECK(header.expose().size() % 4 == 0);
  CHECK(header.expose().find_first_of("+/") == std::string_view::npos);
  CHECK(nlohmann::json::parse(*support::base64_decode(header.expose())) ==
        nlohmann::json{{"username", "u"}, {"password", "p?>"}, {"serveraddress", "https://r"}});
  login.identity_token = support::Secret("tok");
  CHECK(
      nlohmann::json::parse(*support::base64_decode(credentials::registry_auth(login).expose())) ==
      nlohmann::json{{"identitytoken", "tok"}, {"serveraddress", "https://r"}});
}
