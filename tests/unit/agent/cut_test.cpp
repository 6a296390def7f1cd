// The promise that the protocol is made for: however a connection is cut, the
// stage starts once, its output arrives byte by byte, and so does its end.

#include "tests/support/cut_session.hpp"
#include "tests/unit/agent/agent_test.hpp"

using namespace berth;
using namespace berth::tests;

namespace {

constexpr const char* k_expected = "one\ntwo\nthree\n";

protocol::Start make_stage(const std::filesystem::path& count) {
  return start_of("echo x >> " + count.string() +
                  "\necho one\necho two >&2\nsleep infinity &\necho three\nexit 42\n");
}

void require_whole(const CutResult& result, const std::filesystem::path& count,
                   const std::string& where) {
  INFO(where);
  if (result.stage.output != k_expected || result.stage.exit.status != 42 ||
      read_file(count) != "x\n") {
    FAIL("output '" << result.stage.output << "', status " << int{result.stage.exit.status}
                    << ", started " << read_file(count).size() / 2 << " times");
  }
}

}  // namespace

TEST_CASE("a session cut at every byte in either direction is whole") {
  const AgentBuild build = each_build();
  const Resume resume = GENERATE(Resume::by_start, Resume::by_attach);
  const AgentProcess agent(with(build));
  const auto connect = [&] { return agent.connect(); };
  const auto count = agent.dir() / "count";

  const CutResult uncut = run_cut_session(connect, make_stage(count), {}, resume);
  require_whole(uncut, count, "no cut");
  REQUIRE(uncut.connections == 1);

  for (const Cut::Direction direction : {Cut::Direction::to_agent, Cut::Direction::to_driver}) {
    const bool up = direction == Cut::Direction::to_agent;
    // How many ACKs and OUTPUT frames there are varies from run to run; cuts beyond a
    // session's end do nothing.
    const std::size_t bytes = up ? uncut.sent : uncut.received;
    for (std::size_t after = 0; after <= bytes; ++after) {
      std::filesystem::remove(count);
      const CutResult result =
          run_cut_session(connect, make_stage(count), {{direction, after}}, resume);
      require_whole(result, count,
                    (up ? "to agent after " : "to driver after ") + std::to_string(after));
    }
    if (uncut.connections == 1) greeted(agent).send(protocol::Signal{.number = SIGKILL});
  }
}

TEST_CASE("a session cut again and again is whole") {
  const AgentBuild build = each_build();
  const AgentProcess agent(with(build));
  const auto connect = [&] { return agent.connect(); };
  const auto count = agent.dir() / "count";
  for (std::size_t step = 1; step < 60; ++step) {
    std::filesystem::remove(count);
    std::vector<Cut> cuts;
    for (std::size_t i = 1; i <= 8; ++i) {
      cuts.push_back({i % 2 == 0 ? Cut::Direction::to_agent : Cut::Direction::to_driver,
                      (i * step * 37) % 300});
    }
    require_whole(run_cut_session(connect, make_stage(count), cuts, Resume::by_start), count,
                  "step " + std::to_string(step));
  }
  greeted(agent).send(protocol::Signal{.number = SIGKILL});
}

TEST_CASE("a long output cut every 100 kB is whole") {
  const AgentBuild build = each_build();
  const AgentProcess agent(with(build));
  const auto connect = [&] { return agent.connect(); };
  std::vector<Cut> cuts(150, {Cut::Direction::to_driver, 100'003});
  const CutResult result = run_cut_session(connect, start_of("seq 1 2000000 | head -c 10000000"),
                                           cuts, Resume::by_attach);
  std::string expected;
  for (int i = 1; expected.size() < 10'000'000; ++i) expected += std::to_string(i) + "\n";
  expected.resize(10'000'000);
  REQUIRE((result.stage.output == expected));
  REQUIRE(result.connections > 100);
}
