#include "executor/agentlink/stage_request.hpp"

#include "tests/support/catch.hpp"

using namespace berth;
using namespace berth::agentlink;

namespace {

core::JobSpec spec() {
  core::JobSpec spec;
  spec.resource_name = "berth-7-abc";
  spec.helper.image = "gitlab-runner-helper";
  spec.build.image = "alpine:3";
  return spec;
}

}  // namespace

TEST_CASE("stages run under their container's umask, or 0000 where the sandbox says so",
          "[stage_request]") {
  core::Sandbox sandbox;
  const auto umask = [&](const char* stage) {
    return make_stage_request(spec(), sandbox, {core::ScriptStage(stage), "x"}).start.umask;
  };
  CHECK(umask("get_sources") == protocol::k_keep_umask);
  sandbox.values["helper.umask"] = "0000";
  CHECK(umask("get_sources") == 0);
  CHECK(umask("build_script") == protocol::k_keep_umask);
  CHECK(umask("after_script") == protocol::k_keep_umask);
}

TEST_CASE("git is told of files that belong to others", "[stage_request]") {
  core::Sandbox sandbox;
  sandbox.values["build.safe_directory"] = "*";
  const auto environment = [&](const char* stage) {
    return make_stage_request(spec(), sandbox, {core::ScriptStage(stage), "x"}).start.env;
  };
  CHECK(environment("get_sources").empty());
  CHECK(environment("build_script") == std::vector<std::string>{"GIT_CONFIG_COUNT=1",
                                                                "GIT_CONFIG_KEY_0=safe.directory",
                                                                "GIT_CONFIG_VALUE_0=*"});
}

TEST_CASE("a request names the container and the agent of its stage", "[stage_request]") {
  core::Sandbox sandbox;
  sandbox.values = {{"helper.nonce", "000102030405060708090a0b0c0d0e0f"},
                    {"build.nonce", std::string(32, 'f')},
                    {"helper.socket_dir", "/run/h"}};
  const core::Script helper{core::ScriptStage("get_sources"), "script\n"};
  const core::Script build{core::ScriptStage("step_release"), "script\n"};
  const StageRequest request = make_stage_request(spec(), sandbox, helper);
  CHECK(request.where == "helper container 'berth-7-abc-helper' of image 'gitlab-runner-helper'");
  CHECK_THAT(make_stage_request(spec(), sandbox, build).where,
             ContainsSubstring("'berth-7-abc-build' of image 'alpine:3'"));
  CHECK(request.start.script == "script\n");
  CHECK_FALSE(request.resume);
  REQUIRE(request.nonce);
  CHECK((*request.nonce)[15] == 15);
  CHECK((*make_stage_request(spec(), sandbox, build).nonce)[0] == 0xff);
  CHECK(request.start.id != make_stage_request(spec(), sandbox, helper).start.id);
  CHECK(socket_dir(sandbox, helper) == "/run/h");
  CHECK(socket_dir(sandbox, build).empty());

  CHECK(request.start.env.empty());
  sandbox.values["helper.path"] = "/.berth/run/tools:/bin";
  CHECK(make_stage_request(spec(), sandbox, helper).start.env ==
        std::vector<std::string>{"PATH=/.berth/run/tools:/bin"});
  CHECK(make_stage_request(spec(), sandbox, build).start.env.empty());

  sandbox.values["build.export.KUBECONFIG"] = "/run/berth/credentials/KUBE";
  sandbox.values["build.exported"] = "no";
  CHECK(make_stage_request(spec(), sandbox, build).start.env ==
        std::vector<std::string>{"?KUBECONFIG=/run/berth/credentials/KUBE"});
  CHECK(make_stage_request(spec(), sandbox, helper).start.env.size() == 1);

  sandbox.values["helper.nonce"] = "12";
  CHECK_THROWS_WITH(make_stage_request(spec(), sandbox, helper), ContainsSubstring("helper.nonce"));
}

TEST_CASE("a resume survives a command line", "[stage_request]") {
  const core::Resume resume{make_stage_id(), 123456789012345};
  CHECK(parse_resume(format_resume(resume)) == resume);
  const StageRequest request = make_stage_request(spec(), {}, {core::ScriptStage("x"), "", resume});
  CHECK(request.start.id == resume.id);
  CHECK(request.resume == resume.offset);

  const std::string id(32, 'a');
  CHECK(parse_resume(id + ":0"));
  for (const std::string& bad :
       {id, id + ":", id + ":x", id + ":1x", id + ":-1", id.substr(1) + ":1", id + "a:1",
        std::string(31, 'a') + "g:1", std::string(), id + ":99999999999999999999"})
    CHECK_FALSE(parse_resume(bad));
}

TEST_CASE("how long a stage is followed directly", "[stage_request]") {
  core::Sandbox sandbox;
  CHECK_FALSE(agentlink::direct_limit(sandbox));
  sandbox.values["direct_ms"] = "2000";
  CHECK(agentlink::direct_limit(sandbox) == std::chrono::milliseconds(2000));
  for (const char* bad : {"", "-1", "2s", "99999999999"}) {
    sandbox.values["direct_ms"] = bad;
    CHECK_THROWS_AS(agentlink::direct_limit(sandbox), support::SystemError);
  }
}
