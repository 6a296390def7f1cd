#include "executor/agentlink/session.hpp"
#include "executor/agentlink/socket_transport.hpp"
#include "tests/support/agent_process.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/agentlink/fake_agent.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// The real agent dies, is replaced, or the runner cancels.

using namespace berth;
using namespace berth::tests;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A sink that acts when the script has said a word.
class Trigger final : public core::OutputSink {
 public:
  Trigger(std::string word, std::function<void()> act)
      : m_word(std::move(word)), m_act(std::move(act)) {}
  void write(std::string_view bytes) override {
    text += bytes;
    if (!m_act || text.find(m_word) == std::string::npos) return;
    const auto act = std::exchange(m_act, nullptr);
    act();
  }
  std::string text;

 private:
  std::string m_word;
  std::function<void()> m_act;
};

struct Fixture {
  AgentProcess agent;
  std::unique_ptr<agentlink::Transport> transport =
      agentlink::make_socket_transport(agent.run_dir());
  std::stop_source stop;
  agentlink::SessionLimits limits;
  fs::path pids = agent.dir() / "pids";

  core::ExitStatus run(const std::string& script, core::OutputSink& sink) {
    return agentlink::run_stage(*transport, test_request(script), sink, limits, stop.get_token());
  }
  /// The processes whose numbers the script wrote down and that do not end: a
  /// killed process takes a moment, a forgotten one the limit.
  std::vector<int> survivors() const {
    std::vector<int> alive;
    std::ifstream in(pids);
    for (int pid = 0; in >> pid;) {
      const support::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      pollfd fd{process.get(), POLLIN, 0};
      if (process && ::poll(&fd, 1, 10000) != 1) alive.push_back(pid);
    }
    return alive;
  }
};

}  // namespace

TEST_CASE("an agent killed while the stage runs is a system failure", "[lost]") {
  Fixture f;
  Trigger sink("ready", [&] { f.agent.kill(SIGKILL); });
  try {
    f.run("echo ready; exec sleep 1000\n", sink);
    FAIL("returned");
  } catch (const agentlink::AgentLost& lost) {
    CHECK(lost.kind() == agentlink::ConnectFailure::gone);
    CHECK(lost.start_sent());
    CHECK(lost.delivered() == sink.text.size());
    CHECK_THAT(lost.what(), ContainsSubstring("berth-1-build"));
  }
}

TEST_CASE("a replaced container is a system failure, and nothing is started in it", "[lost]") {
  Fixture f;
  AgentProcess other;
  const fs::path runs = f.agent.dir() / "runs";
  Trigger sink("ready", [&] {
    // The agent ends and another one answers at its socket.
    f.agent.kill(SIGKILL);
    f.agent.wait();
    fs::remove(f.agent.socket());
    fs::create_hard_link(other.socket(), f.agent.socket());
  });
  CHECK_THROWS_WITH(
      f.run("echo run >> '" + runs.string() + "'; echo ready; exec sleep 1000\n", sink),
      ContainsSubstring("replaced"));
  CHECK(fs::file_size(runs) == 4);
}

TEST_CASE("a stage is taken up by another process at the byte it is told", "[lost]") {
  Fixture f;
  agentlink::StageRequest request = test_request("echo one; echo two; exit 3\n");
  StringSink first;
  CHECK(agentlink::run_stage(*f.transport, request, first, f.limits, {}) ==
        core::ExitStatus{core::Exited{3}, 0});
  request.resume = 8;  // all of it was delivered; the status was not
  StringSink second;
  CHECK(agentlink::run_stage(*f.transport, request, second, f.limits, {}) ==
        core::ExitStatus{core::Exited{3}, 0});
  CHECK(second.text.empty());
}

TEST_CASE("a cancel ends the script and what it started, however stubborn", "[lost][cancel]") {
  Fixture f;
  f.limits.grace = 200ms;
  const std::string note = " echo $$ >> '" + f.pids.string() + "'; ";
  SECTION("a script that ends on TERM") {
    Trigger sink("ready", [&] { f.stop.request_stop(); });
    CHECK_THROWS_AS(
        f.run(note + "trap 'echo bye; exit 1' TERM; echo ready; sleep 1000 & wait\n", sink),
        support::Cancelled);
    CHECK_THAT(sink.text, ContainsSubstring("bye"));  // the last output is delivered
  }
  SECTION("a script and its grandchildren that ignore TERM") {
    const std::string stubborn = "sh -c \"trap '' TERM; sh -c 'echo \\$\\$ >> " + f.pids.string() +
                                 "; echo ready; sleep 1000; :'\"";
    Trigger sink("ready", [&] { f.stop.request_stop(); });
    CHECK_THROWS_AS(f.run(note + "trap '' TERM; " + stubborn + "; sleep 1000; :\n", sink),
                    support::Cancelled);
  }
  SECTION("a background process that ignores TERM and outlives the script") {
    const std::string background = "sh -c \"trap '' TERM; echo \\$\\$ >> " + f.pids.string() +
                                   "; echo ready; sleep 1000; :\" & ";
    Trigger sink("ready", [&] { f.stop.request_stop(); });
    CHECK_THROWS_AS(f.run(note + background + "sleep 1000; :\n", sink), support::Cancelled);
  }
  SECTION("a daemon in a session of its own") {
    const std::string daemon = "setsid sh -c \"trap '' TERM; echo \\$\\$ >> " + f.pids.string() +
                               "; echo ready; exec sleep 1000\" & ";
    Trigger sink("ready", [&] { f.stop.request_stop(); });
    CHECK_THROWS_AS(f.run(note + daemon + "sleep 1000; :\n", sink), support::Cancelled);
  }
  CHECK(fs::exists(f.pids));
  CHECK(f.survivors().empty());
  // The container stays for after_script.
  StringSink after;
  f.stop = {};
  CHECK(f.run("echo after\n", after).success());
  CHECK(after.text == "after\n");
}

TEST_CASE("an agent that dies during a cancel does not hold it up", "[lost][cancel]") {
  Fixture f;
  Trigger sink("ready", [&] {
    f.stop.request_stop();
    f.agent.kill(SIGKILL);
  });
  CHECK_THROWS_AS(f.run("echo ready; exec sleep 1000\n", sink), support::Cancelled);
}

TEST_CASE("what forks into the background does not hold the stage up", "[lost]") {
  Fixture f;
  StringSink sink;
  CHECK(f.run("sleep 1000 & echo done\n", sink).success());
  CHECK(sink.text == "done\n");
}

TEST_CASE("an image without a shell is the job's fault", "[lost]") {
  Fixture f;
  StringSink sink;
  agentlink::StageRequest request = test_request("true\n");
  request.start.shells = {"/nonexistent/sh"};
  CHECK_THROWS_AS(agentlink::run_stage(*f.transport, request, sink, f.limits, {}),
                  support::JobError);
}

TEST_CASE("a stage that another driver left running is not mixed with this one", "[lost]") {
  Fixture f;
  Trigger first("ready", [] { throw support::SystemError("killed"); });
  CHECK_THROWS_AS(f.run("echo ready; exec sleep 1000\n", first), support::SystemError);
  StringSink sink;
  CHECK(f.run("echo second\n", sink).success());
  CHECK(sink.text == "second\n");
}

TEST_CASE("umask: zero where asked for, else the agent's own", "[lost]") {
  Fixture f;
  agentlink::StageRequest request = test_request("umask\n");
  request.start.umask = 0;
  StringSink zero;
  CHECK(agentlink::run_stage(*f.transport, request, zero, f.limits, {}).success());
  CHECK(zero.text == "0000\n");
  request = test_request("umask\n");
  request.start.umask = protocol::k_keep_umask;
  StringSink kept;
  CHECK(agentlink::run_stage(*f.transport, request, kept, f.limits, {}).success());
  const mode_t mine = ::umask(0);
  ::umask(mine);
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o\n", mine);
  CHECK(kept.text == text.data());
}
