#include "agent/protocol/frames.hpp"
#include "executor/docker/engine/agent_volume.hpp"
#include "executor/docker/engine/exec_transport.hpp"
#include "tests/integration/docker_engine/engine_under_test.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <array>
#include <poll.h>
#include <vector>

using namespace berth;
using tests::EngineUnderTest;

TEST_CASE("the agent's volume is filled, and its agent answers through an exec") {
  EngineUnderTest engine;
  const tests::TempDir state;
  const docker::AgentVolumeOptions options{.state_dir = state.path(),
                                           .program_dir = BERTH_PROGRAM_DIR,
                                           .image = "busybox:latest",
                                           .host = engine.name("host")};
  const docker::AgentVolume volume = docker::ensure_agent_volume(*engine, options, {});
  CHECK(docker::ensure_agent_volume(*engine, options, {}).name == volume.name);
  // Without this host's note the marker in the volume speaks.
  const tests::TempDir other;
  docker::AgentVolumeOptions elsewhere = options;
  elsewhere.state_dir = other.path();
  CHECK(docker::ensure_agent_volume(*engine, elsewhere, {}).name == volume.name);

  nlohmann::json body = engine.body({"/.berth/bin/berth-agent", "serve"});
  body["HostConfig"]["Mounts"] = {{{"Type", "volume"},
                                   {"Source", volume.name},
                                   {"Target", "/.berth/bin"},
                                   {"ReadOnly", true},
                                   {"VolumeOptions", {{"NoCopy", true}}}}};
  const std::string id = engine->create_container(engine.name("agent"), body, "", {});
  engine->start_container(id, {});
  const auto transport = docker::make_exec_transport(*engine, id);
  std::unique_ptr<agentlink::Stream> stream;
  while (!stream) {
    try {
      stream = transport->connect(tests::soon(), {});
    } catch (const agentlink::ConnectError& error) {
      // The agent makes its socket after the container was started.
      REQUIRE(error.kind() == agentlink::ConnectFailure::gone);
      REQUIRE(engine->find_container(id, {})->state.running);
    }
  }
  protocol::AgentDecoder decoder(protocol::k_max_agent_payload);
  std::optional<protocol::AgentMessage> message;
  std::array<char, 4096> buffer;
  while (!(message = decoder.next())) {
    const agentlink::Io io = stream->read(buffer);
    REQUIRE(io.state != agentlink::Io::State::closed);
    decoder.feed({buffer.data(), io.bytes});
    pollfd entry{stream->fd(), POLLIN, 0};
    if (io.state == agentlink::Io::State::would_block && !stream->buffered())
      ::poll(&entry, 1, 10000);
  }
  REQUIRE(std::holds_alternative<protocol::Hello>(*message));
  CHECK(std::get<protocol::Hello>(*message).version == protocol::k_version);
}
