#include "executor/agentlink/client.hpp"
#include "executor/agentlink/socket_transport.hpp"
#include "executor/agentlink/stage_request.hpp"
#include "executor/masking/stage_secrets.hpp"
#include "tests/support/agent_process.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/run/run_fixture.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

/// The real berth-run against the real agent, started as the runner does. In the
/// place of berth-run-engine stands a script that notes how it was called.

using namespace berth;
using namespace berth::tests;
namespace fs = std::filesystem;

namespace {

struct WithAgent {
  AgentProcess agent;
};

/// As prepare does.
void give_note(const AgentProcess& agent, const std::string& name, const support::Secret& note) {
  const auto transport = agentlink::make_socket_transport(agent.run_dir());
  auto client = agentlink::AgentClient::connect(
      *transport, std::chrono::steady_clock::now() + std::chrono::seconds(60), {});
  client.put(name, note.expose(), {}, {});
}

struct Fixture : WithAgent, RunFixture {
  Fixture() : RunFixture(agent.run_dir()) {}
};

}  // namespace

TEST_CASE("a script's output is the job log, byte for byte", "[berth-run]") {
  Fixture f;
  f.sandbox.values["helper.umask"] = "0000";
  const auto run =
      f.start("echo out; echo err >&2; printf '\\001\\377\\000x'; umask\n", "get_sources");
  CHECK(run->wait() == 0);
  CHECK(run->output() == std::string("out\nerr\n\001\377\000x0000\n", 17));
  CHECK(run->errors().empty());
  CHECK_FALSE(fs::exists(f.tmpdir / "build_exit_code"));
}

TEST_CASE("a failing script is a build failure with its own code", "[berth-run]") {
  Fixture f;
  std::ofstream(f.tmpdir / "build_exit_code") << "9";  // an earlier stage's
  const auto run = f.start("echo no; exit 7\n", "build_script");
  CHECK(run->wait() == k_build_failure);
  CHECK(run->output() == "no\n");
  CHECK(std::stoi(f.exit_code_file()) == 7);
}

TEST_CASE("a script that a signal ended says so", "[berth-run]") {
  Fixture f;
  const auto run = f.start("kill -9 $$\n", "build_script");
  CHECK(run->wait() == k_build_failure);
  CHECK(std::stoi(f.exit_code_file()) == 137);
  CHECK_THAT(run->errors(), ContainsSubstring("SIGKILL"));
}

TEST_CASE("what earlier stages should have left is asked for by name", "[berth-run]") {
  Fixture f;
  auto run = f.start("true\n", "build_script");
  CHECK(run->wait() == 0);
  SECTION("no plan") {
    fs::remove(f.tmpdir / "plan.json");
  }
  SECTION("no sandbox") {
    fs::remove(f.tmpdir / "sandbox.json");
  }
  SECTION("a plan cut short") {
    fs::resize_file(f.tmpdir / "plan.json", 20);
  }
  SECTION("no script") {
    fs::remove(f.tmpdir / "script");
  }
  SECTION("no TMPDIR") {
    f.environment.erase("TMPDIR");
  }
  run = f.start_again("build_script");
  CHECK(run->wait() == k_system_failure);
  CHECK_THAT(run->errors(), ContainsSubstring("error: "));
}

TEST_CASE("SIGTERM ends the script's processes and is a system failure", "[berth-run]") {
  Fixture f;
  const fs::path pid = f.temp.path() / "pid";
  const auto run = f.start("echo $$ > '" + pid.string() +
                               "'; trap 'echo bye; exit 1' TERM; echo ready; sleep 1000 & wait\n",
                           "build_script");
  run->read_until("ready\n");
  run->signal(SIGTERM);
  CHECK(run->wait() == k_system_failure);
  CHECK(run->output() == "ready\nbye\n");
  CHECK(f.exit_code_file().empty());
  CHECK(f.engine_arguments().empty());
  // The container stays: after_script runs in it.
  const auto after = f.start("echo after\n", "after_script");
  CHECK(after->wait() == 0);
  CHECK(after->output() == "after\n");
}

TEST_CASE("a log that cannot be written is a system failure", "[berth-run]") {
  Fixture f;
  SECTION("closed while the script writes") {
    const auto run = f.start("echo ready; while :; do echo more; done\n", "build_script");
    run->read_until("ready");
    run->close_stdout();
    CHECK(run->wait() == k_system_failure);
    CHECK_THAT(run->errors(), ContainsSubstring("cannot write the job log"));
  }
  SECTION("closed from the start") {
    const auto run = f.start("true\n", "build_script", StageProcess::Stdout::closed);
    CHECK(run->wait() == k_system_failure);
    CHECK_THAT(run->errors(), ContainsSubstring("standard output is closed"));
  }
  CHECK(f.exit_code_file().empty());
}

TEST_CASE("without a socket of this host the engine's program takes the stage", "[berth-run]") {
  Fixture f;
  const std::string arguments = (f.tmpdir / "script").string() + "\nbuild_script\n";
  SECTION("the sandbox names none") {
    f.sandbox.values.erase("build.socket_dir");
  }
  SECTION("it is on another host") {
    f.sandbox.values["build.socket_dir"] = "/nonexistent/berth/build";
  }
  SECTION("the agent has ended") {
    f.agent.kill(SIGKILL);
    f.agent.wait();
  }
  SECTION("it is told to") {
    f.environment["BERTH_TRANSPORT"] = "exec";
  }
  const auto run = f.start("true\n", "build_script");
  CHECK(run->wait() == k_engine_was_here);
  CHECK(f.engine_arguments() == arguments);
}

TEST_CASE("a stage whose agent is lost is taken up at the delivered byte", "[berth-run]") {
  Fixture f;
  const auto run = f.start("echo ready; exec sleep 1000\n", "build_script");
  run->read_until("ready\n");
  f.agent.kill(SIGKILL);
  CHECK(run->wait() == k_engine_was_here);
  const std::string arguments = f.engine_arguments();
  const std::string option = "--resume=";
  const auto line_end = arguments.find('\n');
  REQUIRE(arguments.starts_with(option));
  const auto resume = agentlink::parse_resume(
      std::string_view(arguments).substr(option.size(), line_end - option.size()));
  REQUIRE(resume);
  CHECK(resume->offset == 6);
  const std::string state = "--log-state=";
  REQUIRE(arguments.substr(line_end + 1).starts_with(state));
  CHECK(std::stoi(arguments.substr(line_end + 1 + state.size())) > 2);
  CHECK(arguments.substr(arguments.find('\n', line_end + 1) + 1) ==
        (f.tmpdir / "script").string() + "\nbuild_script\n");
}

TEST_CASE("a missing engine program is named", "[berth-run]") {
  Fixture f;
  f.sandbox.values.clear();
  fs::remove(f.bin / "berth-run-engine");
  const auto run = f.start("true\n", "build_script");
  CHECK(run->wait() == k_system_failure);
  CHECK_THAT(run->errors(), ContainsSubstring("berth-run-engine"));
}

TEST_CASE("a container that was replaced since prepare is a system failure", "[berth-run]") {
  Fixture f;
  f.sandbox.values["build.nonce"] = std::string(32, '0');
  const auto run = f.start("echo started\n", "build_script");
  CHECK(run->wait() == k_system_failure);
  CHECK(run->output().empty());
  CHECK_THAT(run->errors(),
             ContainsSubstring("replaced") && ContainsSubstring("berth-7-abc-build"));
}

TEST_CASE("secrets of the agents' note are masked, and change the script", "[berth-run]") {
  Fixture f;
  const std::string name = "memory:0123";
  f.sandbox.values["note"] = name;
  masking::StageSecrets secrets;
  secrets.secrets = {support::Secret("Gd4canaryToken77QzLp")};
  secrets.changes = {{.from = support::Secret("YWJj\nZGVm"), .to = support::Secret("YWJjZGVm")}};
  give_note(f.agent, name, masking::encode(secrets));
  const auto run = f.start(
      R"(: | eval $'export KEY=$\'YWJj\\nZGVm\'\necho "key $KEY token Gd4canaryToken77QzLp"\n'
printf Gd4canary)",
      "build_script");
  CHECK(run->wait() == 0);
  CHECK(run->output() == "key YWJjZGVm token [MASKED]\nGd4canary");
  CHECK(run->errors().empty());
}

TEST_CASE("an agent that has lost its note is a system failure", "[berth-run]") {
  Fixture f;
  f.sandbox.values["note"] = "memory:0123";
  SECTION("it has none") {}
  SECTION("it has another") {
    give_note(f.agent, "memory:0123", support::Secret("whatever"));
  }
  const auto run = f.start("echo started\n", "build_script");
  CHECK(run->wait() == k_system_failure);
  CHECK(run->output().empty());
}

TEST_CASE("what a script asks to be masked is masked in later stages too", "[berth-run]") {
  Fixture f;
  SECTION("where prepare left a note") {
    f.sandbox.values["note"] = "memory:0123";
    give_note(f.agent, "memory:0123", masking::encode({}));
  }
  SECTION("where it left none") {}
  const auto run =
      f.start("echo '::add-mask::first-Value-1'; echo first-Value-1\n", "build_script");
  CHECK(run->wait() == 0);
  CHECK(run->output() == "::add-mask::[MASKED]\n[MASKED]\n");
  CHECK(run->errors().empty());
  const auto second =
      f.start("echo first-Value-1; echo '::add-mask::other-Value-2'\n", "after_script");
  CHECK(second->wait() == 0);
  CHECK(second->output() == "[MASKED]\n::add-mask::[MASKED]\n");
  const auto third = f.start("echo first-Value-1 other-Value-2\n", "upload_artifacts_on_success");
  CHECK(third->wait() == 0);
  CHECK(third->output() == "[MASKED] [MASKED]\n");
  CHECK(third->errors().empty());
  for (const auto& file : fs::recursive_directory_iterator(f.tmpdir))
    if (file.is_regular_file() && file.path().filename() != "script")
      CHECK(content(file.path()).find("Value") == std::string::npos);
}

TEST_CASE("a long stage is left to the engine's program, once", "[berth-run]") {
  Fixture f;
  f.sandbox.values["direct_ms"] = "1";
  const auto run = f.start("echo begun; read never < /dev/tty; exec sleep 1000\n", "get_sources");
  CHECK(run->wait() == k_engine_was_here);
  CHECK_THAT(f.engine_arguments(), ContainsSubstring("--resume="));
}

TEST_CASE("a failing script whose engine may know why is handed over with its end", "[berth-run]") {
  Fixture f;
  f.sandbox.values[agentlink::k_value_ask_why] = "0";
  auto run = f.start("printf 12345; exit 7\n", "build_script");
  CHECK(run->wait() == k_engine_was_here);
  CHECK(run->output() == "12345");
  // All of its output is delivered; what is left is how it ended.
  CHECK_THAT(f.engine_arguments(), StartsWith("--resume="));
  CHECK_THAT(f.engine_arguments(), ContainsSubstring(":5\n"));

  CHECK(f.start("true\n", "build_script")->wait() == 0);
  CHECK(f.start("exit 7\n", "after_script")->wait() == k_build_failure);
  CHECK(f.start("exit 7\n", "get_sources")->wait() == k_build_failure);
  // Nobody there to ask.
  fs::remove(f.bin / "berth-run-engine");
  CHECK(f.start("exit 7\n", "build_script")->wait() == k_build_failure);
  CHECK(std::stoi(f.exit_code_file()) == 7);
}

namespace {

std::size_t count(const std::string& text, const std::string& words) {
  std::size_t found = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("a failure that the field knows gets one hint", "[berth-run]") {
  Fixture f;
  const std::string words = "echo 'sh: 1: docker: not found'; ";
  const std::string hint = "HINT: the job's image has no docker client";
  const auto errors_of = [&](const std::string& script, const char* stage) {
    const auto run = f.start(script, stage);
    run->wait();
    return run->errors();
  };
  CHECK(count(errors_of(words + words + "exit 127", "build_script"), hint) == 1);
  CHECK(count(errors_of(words + "exit 1", "step_release"), "HINT: ") == 1);
  CHECK(errors_of(words + "exit 0", "build_script").empty());
  CHECK(count(errors_of("echo some other words; exit 1", "build_script"), "HINT: ") == 0);
  // Its failure counts for nothing, and these may be tried again.
  CHECK(count(errors_of(words + "exit 1", "after_script"), "HINT: ") == 0);
  CHECK(count(errors_of(words + "exit 1", "get_sources"), "HINT: ") == 0);
  // Long before the end of the output they explain nothing.
  CHECK(count(errors_of(words + "head -c 100000 /dev/zero; exit 1", "build_script"), "HINT: ") ==
        0);
}

TEST_CASE("what services have said is told where the script fails", "[berth-run]") {
  Fixture f;
  f.sandbox.values["hints"] = "service 'a': one\nservice 'b': two";
  auto run = f.start("exit 1", "build_script");
  CHECK(run->wait() == k_build_failure);
  const std::string errors = run->errors();
  CHECK(count(errors, "HINT: service 'a': one") == 1);
  CHECK(count(errors, "HINT: service 'b': two") == 1);
  run = f.start("exit 0", "build_script");
  CHECK(run->wait() == 0);
  CHECK(run->errors().empty());
}
