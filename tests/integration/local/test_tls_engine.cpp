#include "cli/local/address.hpp"
#include "cli/local/runner/play.hpp"
#include "tests/integration/docker_engine/engine_under_test.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/git_server/git_server.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/local/play_fixture.hpp"

#include <fmt/format.h>

#include <fstream>
#include <unistd.h>

using namespace berth::local::runner;
using berth::tests::Authority;
using berth::tests::GitServer;

namespace {

/// A runner with the real four programs, its state and jobs in a folder of the case.
RunnerConfig real_runner(const std::filesystem::path& folder, const char* transport) {
  std::ofstream(folder / "berth.yaml")
      << "state_dir: " << (folder / "state").string()
      << "\ndocker:\n  pull_policy: if-not-present\n  disable_cache: true\n";
  RunnerConfig config;
  config.builds_dir = "/builds";
  config.cache_dir = "/cache";
  config.temp_root = folder / "tmp";
  std::filesystem::create_directory(config.temp_root);
  for (const auto& [command, name] : {std::pair{&config.custom.config, "berth-config"},
                                      {&config.custom.prepare, "berth-prepare"},
                                      {&config.custom.run, "berth-run"},
                                      {&config.custom.cleanup, "berth-cleanup"}}) {
    command->program = std::string(BERTH_PROGRAM_DIR) + "/" + name;
    command->arguments = {"--settings", (folder / "berth.yaml").string()};
  }
  for (char** entry = environ; *entry != nullptr; ++entry)
    config.process_environment.emplace_back(*entry);
  config.process_environment.push_back(fmt::format("BERTH_TRANSPORT={}", transport));
  return config;
}

Payload small_job() {
  Payload payload;
  payload.id = ::getpid();
  payload.token = "job-token";
  payload.job_info = {.name = "sources",
                      .stage = "test",
                      .pipeline_id = 5,
                      .project_id = 980000 + ::getpid() % 10000,
                      .project_name = "app",
                      .project_full_path = "group/app"};
  payload.git_info.repo_url = "https://gitlab.example/group/app.git";
  payload.image.name = "busybox:latest";
  payload.variables = {{.key = "GIT_STRATEGY", .value = "none", .is_public = true}};
  payload.steps = {{.name = "script", .script = {"cat app lib/lib lib/deep/deep"}}};
  return payload;
}

/// This machine as the containers reach it.
std::string reachable_address(const RunnerConfig& config) {
  berth::tests::HttpServer plain({.address = "0.0.0.0"});
  plain.on("GET", "/answers", {berth::tests::ServerReply{}});
  const std::string url = plain.url();
  Control control;
  std::string why;
  std::string found = berth::local::find_address(
      {.config = config,
       .payload = small_job(),
       .candidates = berth::local::host_addresses(),
       .port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))),
       .path = "/answers",
       .control = control},
      [&why](std::string_view text) { why += std::string(text) + "\n"; });
  CAPTURE(why);
  REQUIRE_FALSE(found.empty());
  return found;
}

}  // namespace

TEST_CASE("a job's sources and submodules come from a server with an authority of its own") {
  const char* transport = GENERATE("direct", "exec");
  CAPTURE(transport);
  const berth::tests::EngineUnderTest engine;  // leaves the case out where none answers
  const berth::tests::TempDir folder;
  RunnerConfig config = real_runner(folder.path(), transport);
  const std::string address = reachable_address(config);
  const Authority authority("the company's");
  const auto root = folder.path() / "repositories";
  std::filesystem::create_directory(root);
  Payload payload = small_job();
  const GitServer server(authority, root, payload.token, address, "IP:" + address);
  const std::string host = fmt::format("{}:{}", berth::local::url_host(address), server.port());
  config.url = "https://" + host;
  payload.git_info = {.repo_url = "https://gitlab-ci-token:job-token@" + host + "/group/app.git",
                      .ref = "main",
                      .sha = berth::tests::make_nested_projects(root, config.url),
                      .refspecs = {"+refs/heads/main:refs/remotes/origin/main"},
                      .depth = 20};
  payload.variables = {{.key = "GIT_STRATEGY", .value = "clone", .is_public = true},
                       {.key = "GIT_SUBMODULE_STRATEGY", .value = "recursive", .is_public = true}};
  Control control;
  berth::tests::RecordingObserver observer;

  SECTION("whose certificate the runner gives to its jobs") {
    config.tls_ca_chain = authority.ca_pem();
    const JobResult result = play(config, payload, control, observer);
    CAPTURE(observer.out, observer.err, observer.notes);
    CHECK(result.state == JobState::success);
    CHECK_THAT(observer.out, ContainsSubstring("\napp\nlib\ndeep\n"));
    for (const char* name : {"group/app.git", "group/lib.git", "group/deep.git"})
      CHECK(server.served(name) > 0);
  }
  SECTION("whose certificate nobody knows") {
    const JobResult result = play(config, payload, control, observer);
    CHECK(result.failure_reason == "script_failure");
    CHECK_THAT(observer.out + observer.err, ContainsSubstring("certificate"));
    CHECK(server.served("group/app.git") == 0);
  }
}
