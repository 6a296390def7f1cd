#include "executor/credentials/job_logins.hpp"

#include "executor/process/process.hpp"

#include <cstdlib>

namespace berth::credentials {

RegistryLogins load_job_logins(const core::PrepareInput& input, const std::filesystem::path& home,
                               core::Console& console, const std::stop_token& stop) {
  LoginSources sources{.auth_config = support::Secret(input.expanded.get("DOCKER_AUTH_CONFIG")),
                       .home = home,
                       .payload = input.job.credentials};
  if (sources.auth_config.empty()) {
    const char* own = std::getenv("DOCKER_AUTH_CONFIG");
    if (own != nullptr) sources.auth_config = support::Secret(own);
  }
  const auto processes = process::make_process_runner();
  return load_registry_logins(
      sources, *processes, [&console](const std::string& text) { console.warning(text); }, stop);
}

}  // namespace berth::credentials
