#include "tests/integration/docker_engine/engine_under_test.hpp"

#include "executor/support/files.hpp"

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace berth::tests {
namespace {

docker::EngineAddress address() {
  return docker::resolve_address({}, [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value != nullptr ? value : "");
  });
}

}  // namespace

void leave_out(const std::string& why) {
  const char* required = std::getenv("BERTH_REQUIRE");
  const bool must =
      required != nullptr && std::string(required).find("docker") != std::string::npos;
  std::fprintf(stderr, "%s: %s\n", must ? "FAILED" : "SKIPPED", why.c_str());
  std::fflush(nullptr);
  ::_exit(must ? 1 : 125);
}

EngineUnderTest::EngineUnderTest()
    : m_engine(address()),
      m_name("berth-test-" + support::random_hex(4)),
      m_label("berth.test=" + m_name) {
  try {
    m_engine.negotiate({});
  } catch (const support::Error& error) {
    leave_out(error.what());
  }
}

EngineUnderTest::~EngineUnderTest() {
  try {
    for (const auto& container : m_engine.list_containers({m_label}, {}))
      m_engine.remove_container(container.id, {});
    for (const auto& network : m_engine.list_networks({m_label}, {}))
      m_engine.remove_network(network.id, {});
    for (const auto& volume : m_engine.list_volumes({m_label}, {}))
      m_engine.remove_volume(volume.name, {});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cleaning up: %s\n", error.what());
  }
}

nlohmann::json EngineUnderTest::body(const std::vector<std::string>& command) const {
  return {{"Image", "busybox:latest"},
          {"Cmd", command},
          {"Labels", {{"berth.test", m_name}}},
          {"HostConfig", {{"NetworkMode", "none"}}}};
}

std::string EngineUnderTest::run(const std::string& suffix,
                                 const std::vector<std::string>& command) {
  const std::string id = m_engine.create_container(name(suffix), body(command), "", {});
  m_engine.start_container(id, {});
  return id;
}

}  // namespace berth::tests
