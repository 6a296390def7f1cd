#include "tests/bench/daemon_job.hpp"

#include <stdexcept>

namespace berth::bench {

const std::vector<DaemonMode>& daemon_modes() {
  static const std::vector<DaemonMode> modes{
      {.name = "TLS"}, {.name = "plain", .variables = {{"DOCKER_TLS_CERTDIR", ""}}}};
  return modes;
}

std::chrono::steady_clock::time_point play_with_daemon(const Driver& driver, const DaemonMode& mode,
                                                       const std::function<void()>& meanwhile) {
  using Clock = std::chrono::steady_clock;
  constexpr const char* k_mark = "berth-bench-usable";
  Clock::time_point usable{};
  std::string seen;
  const auto watch = [&](std::string_view bytes) {
    if (usable != Clock::time_point{}) return;
    seen += bytes;
    // The script's text may be shown before it runs: what counts is the line.
    if (seen.find("\nberth-bench-usable 1") == std::string::npos) return;
    usable = Clock::now();
    if (meanwhile) meanwhile();
  };
  const std::string script =
      std::string("docker version >/dev/null && echo && echo ") + k_mark + " $((2 - 1)) && sleep 1";
  play_minimal(driver, {.image = "docker:latest",
                        .services = {"docker:dind"},
                        .variables = mode.variables,
                        .script = script,
                        .on_output = watch});
  if (usable == Clock::time_point{}) throw std::runtime_error("the client's try was not seen");
  return usable;
}

}  // namespace berth::bench
