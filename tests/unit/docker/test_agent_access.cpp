#include "executor/docker/agent_access.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/docker/engine_fixture.hpp"

using namespace berth;
using agentlink::ConnectFailure;

namespace {

class SilentConsole final : public core::Console {
 public:
  void line(std::string_view) override {}
  void warning(std::string_view) override {}
};

}  // namespace

TEST_CASE("a socket directory that this process cannot see is told at once, for another way") {
  tests::EngineFixture test;
  const std::string id = test.engine.create_container(
      "c", {{"Image", "image"}, {"HostConfig", nlohmann::json::object()}}, "", {});
  const docker::AgentContainer container{.role = core::ContainerRole::build,
                                         .id = id,
                                         .image = "image",
                                         .socket_dir = test.tmp.path() / "nowhere" / "build"};
  const auto transport = docker::make_transport(test.engine, container);
  SilentConsole console;
  try {
    docker::await_agent(test.engine, container, *transport, std::chrono::hours(1), console, {});
    FAIL("no error");
  } catch (const agentlink::ConnectError& error) {
    CHECK(error.kind() == ConnectFailure::absent);
  }
}
