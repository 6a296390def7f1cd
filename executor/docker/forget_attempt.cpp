#include "executor/docker/forget_attempt.hpp"

#include "executor/docker/names.hpp"
#include "executor/support/error.hpp"

#include <nlohmann/json.hpp>

#include <unistd.h>

namespace berth::docker {
namespace {

constexpr std::string_view k_mounted_at = "/.berth/left";

/// The labels of the attempt: one that is killed here is found like the rest.
nlohmann::json removal_body(const HostState& state, const std::string& host,
                            std::string_view attempt, const std::string& image) {
  const std::string directory = std::string(k_mounted_at) + "/" + std::string(attempt);
  return {{"Image", image},
          {"User", "0:0"},
          {"Entrypoint", {"rm"}},
          {"Cmd", {"-rf", "--", directory}},
          {"Labels",
           {{k_label_managed, "true"},
            {k_label_type, "cleanup"},
            {k_label_host, host},
            {k_label_attempt, attempt}}},
          {"HostConfig",
           {{"NetworkMode", "none"},
            {"Mounts",
             {{{"Type", "bind"},
               {"Source", (state.folder() / "run").string()},
               {"Target", k_mounted_at}}}}}}};
}

void remove_as_root(Engine& engine, const HostState& state, const std::string& host,
                    std::string_view attempt, const std::string& image,
                    const std::stop_token& stop) {
  const std::string id = engine.create_container(
      "berth-left-" + std::string(attempt), removal_body(state, host, attempt, image), "", stop);
  try {
    engine.start_container(id, stop);
    engine.wait_container(id, stop);
  } catch (...) {
    // One that never ran has not ended either: no sweep would take it for left.
    engine.remove_container(id, {});
    throw;
  }
  engine.remove_container(id, stop);
}

}  // namespace

std::vector<std::string> forget_attempt(Engine& engine, const HostState& state,
                                        const std::string& host, std::string_view attempt,
                                        const std::string& helper_image, std::stop_token stop) {
  auto failures = state.forget(attempt);
  if (failures.empty() || ::geteuid() == 0 || helper_image.empty()) return failures;
  try {
    remove_as_root(engine, state, host, attempt, helper_image, stop);
  } catch (const support::Error& error) {
    failures.emplace_back(error.what());
    return failures;
  }
  return state.forget(attempt);
}

}  // namespace berth::docker
