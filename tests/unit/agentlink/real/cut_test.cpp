#include "executor/agentlink/session.hpp"
#include "executor/agentlink/socket_transport.hpp"
#include "tests/support/agent_process.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/agentlink/fake_agent.hpp"
#include "tests/unit/agentlink/real/cutting_transport.hpp"

#include <fstream>
#include <random>
#include <sstream>

/// The promise that a stage runs once and its log is whole, against the real
/// agent: connections are cut at every byte of either direction.

using namespace berth;
using namespace berth::tests;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Outcome {
  core::ExitStatus status;
  std::string output;
  /// How often the script ran.
  std::string runs;
  unsigned connections = 0;
  unsigned cuts = 0;
};

class Cutter {
 public:
  Outcome run(const std::string& script, const std::function<CutAt(unsigned)>& plan) {
    const auto runs = m_agent.dir() / "runs";
    std::filesystem::remove(runs);
    const auto socket = agentlink::make_socket_transport(m_agent.run_dir());
    CuttingTransport transport(*socket, plan);
    HastyWaiter waiter;
    StringSink sink;
    const core::ExitStatus status = agentlink::run_stage(
        transport, test_request("echo run >> '" + runs.string() + "'\n" + script), sink, {}, {},
        waiter);
    return {status, sink.text, content(runs), transport.connections(), transport.cuts()};
  }

 private:
  AgentProcess m_agent;
};

}  // namespace

TEST_CASE("a session cut at every byte in either direction is as one never cut", "[cut]") {
  const std::string script = "printf 'first\\n'; printf 'second\\n' >&2; printf 'third'; exit 7\n";
  const bool down = GENERATE(true, false);
  const bool twice = GENERATE(false, true);
  Cutter cutter;
  std::size_t at = 0;
  for (unsigned uncut = 0; uncut < 2; ++at) {
    REQUIRE(at < 4000);
    const Outcome outcome = cutter.run(script, [&](unsigned connection) {
      if (connection > (twice ? 1u : 0u)) return CutAt{};
      return down ? CutAt{.down = at, .up = std::nullopt} : CutAt{.down = std::nullopt, .up = at};
    });
    CAPTURE(down, twice, at);
    REQUIRE(outcome.output == "first\nsecond\nthird");
    REQUIRE(outcome.status == core::ExitStatus{core::Exited{7}, 0});
    REQUIRE(outcome.runs == "run\n");
    // A cut right behind EXIT needs no further connection.
    REQUIRE(outcome.connections >= outcome.cuts);
    REQUIRE(outcome.connections <= outcome.cuts + 1);
    if (outcome.cuts == 0) ++uncut;
  }
  // HELLO, STARTED and EXIT alone are longer; so is a START.
  CHECK(at > 80);
}

TEST_CASE("ten megabytes cross many random cuts unharmed", "[cut]") {
  // 10 485 760 bytes that depend on their place, written in odd pieces.
  const std::string script =
      "i=0; while [ $i -lt 20 ]; do i=$((i+1)); "
      "head -c 524288 /dev/zero | tr '\\0' \"$(printf '\\\\%03o' $((64+i)))\"; done; exit 9\n";
  std::string expected;
  for (int i = 1; i <= 20; ++i) expected.append(524288, static_cast<char>(64 + i));

  const auto seed = GENERATE(1u, 2u, 3u, 4u);
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::size_t> bytes(1, 900000);
  Cutter cutter;
  const Outcome outcome = cutter.run(script, [&](unsigned connection) {
    // Down there are the START of the first connection, then acknowledgements.
    if (connection % 3 == 2) return CutAt{.down = bytes(random) / 5000, .up = std::nullopt};
    return CutAt{.down = std::nullopt, .up = bytes(random)};
  });
  CAPTURE(seed);
  CHECK(outcome.status == core::ExitStatus{core::Exited{9}, 0});
  CHECK(outcome.runs == "run\n");
  CHECK(outcome.cuts > 8);
  CHECK(outcome.output.size() == expected.size());
  CHECK((outcome.output == expected));
}

TEST_CASE("binary output, a long line and a hundred megabytes arrive as written", "[cut]") {
  Cutter cutter;
  const auto never = [](unsigned) { return CutAt{}; };
  const auto all_bytes = cutter.run(
      "i=0; while [ $i -lt 256 ]; do printf \"$(printf '\\\\%03o' $i)\"; i=$((i+1)); done\n",
      never);
  std::string expected;
  for (int i = 0; i < 256; ++i) expected += static_cast<char>(i);
  CHECK(all_bytes.output == expected);

  const auto line = cutter.run("head -c 1048576 /dev/zero | tr '\\0' x; echo\n", never);
  CHECK((line.output == std::string(1048576, 'x') + "\n"));

  const auto large = cutter.run("head -c 104857600 /dev/zero\n", never);
  CHECK(large.status.success());
  CHECK((large.output == std::string(104857600, '\0')));
}
