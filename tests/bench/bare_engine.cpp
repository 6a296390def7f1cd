#include "tests/bench/bare_engine.hpp"

#include "executor/docker/engine/engine.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <thread>
#include <unistd.h>

namespace berth::bench {
namespace {

using json = nlohmann::json;

json idle_container(const std::string& image, const std::string& network) {
  return {{"Image", image},
          {"Entrypoint", {"sleep"}},
          {"Cmd", {"infinity"}},
          {"StopSignal", "SIGKILL"},
          {"Labels", {{"berth.bench", "1"}}},
          {"HostConfig", {{"NetworkMode", network}}}};
}

}  // namespace

void bare_container_work(docker::Engine& engine, const std::string& helper_image,
                         const std::string& image) {
  static std::atomic<int> count = 0;
  const std::string name =
      "berth-bench-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  const std::string helper =
      engine.create_container(name + "-helper", idle_container(helper_image, "bridge"), "", {});
  engine.start_container(helper, {});
  const std::string build = engine.create_container(
      name + "-build", idle_container(image, "container:" + helper), "", {});
  engine.start_container(build, {});
  std::thread other([&] { engine.remove_container(build, {}); });
  engine.remove_container(helper, {});
  other.join();
}

}  // namespace berth::bench
