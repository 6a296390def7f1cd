#include "tests/support/catch.hpp"
#include "tests/support/git_server/git_server.hpp"
#include "tests/unit/local/script_fixture.hpp"

using namespace berth::local::runner;
using berth::tests::Authority;
using berth::tests::GitServer;
using berth::tests::ScriptedJob;

TEST_CASE("sources and submodules come from a server whose authority only the runner knows") {
  const Authority authority("the company's");
  ScriptedJob job;
  const auto root = job.dir.path() / "repositories";
  std::filesystem::create_directory(root);
  const GitServer server(authority, root, job.payload.token);
  const std::string base = "https://127.0.0.1:" + std::to_string(server.port());
  job.on("run",
         "export GIT_ALLOW_PROTOCOL=https GIT_CONFIG_NOSYSTEM=1\nbash \"$2\"; rc=$?\n"
         "[ $rc = 0 ] || { echo $rc > $BUILD_EXIT_CODE_FILE; exit 1; }; exit 0");
  job.payload.git_info = {
      .repo_url = "https://gitlab-ci-token:job-token@" + base.substr(8) + "/group/app.git",
      .ref = "main",
      .sha = berth::tests::make_nested_projects(root, base),
      .refspecs = {"+refs/heads/main:refs/remotes/origin/main"},
      .depth = 20};
  job.config.url = base;
  job.variable("GIT_SUBMODULE_STRATEGY", "recursive");
  job.variable("CI_JOB_TOKEN", job.payload.token);
  if (GENERATE(false, true)) job.variable("FF_GIT_URLS_WITHOUT_TOKENS", "true");
  job.script({"cat app lib/lib lib/deep/deep", "cat \"$CI_SERVER_TLS_CA_FILE\"",
              "git -C lib fetch -q && git fetch -q && echo fetched"});

  SECTION("with its certificate") {
    job.config.tls_ca_chain = authority.ca_pem();
    for (const char* strategy : {"clone", "fetch"}) {
      job.variable("GIT_STRATEGY", strategy);
      CHECK(job.again().state == JobState::success);
      CAPTURE(job.observer.err);
      CHECK_THAT(job.observer.out, ContainsSubstring("\napp\nlib\ndeep\n"));
      CHECK_THAT(job.observer.out, ContainsSubstring(authority.ca_pem()));
      // The checkout knows the authority and the token, for the job's own git too.
      CHECK_THAT(job.observer.out, ContainsSubstring("\nfetched\n"));
      CHECK_FALSE(
          std::filesystem::exists(job.dir.path() / "builds/group/app.tmp/CI_SERVER_TLS_CA_FILE"));
    }
    for (const char* name : {"group/app.git", "group/lib.git", "group/deep.git"}) {
      CHECK(server.served(name) > 0);
    }
  }
  SECTION("with another's certificate, or none") {
    if (GENERATE(false, true)) job.config.tls_ca_chain = Authority("another").ca_pem();
    CHECK(job.play().failure_reason == "script_failure");
    CHECK_THAT(job.observer.err, ContainsSubstring("certificate"));
    CHECK(server.served("group/app.git") == 0);
  }
}
