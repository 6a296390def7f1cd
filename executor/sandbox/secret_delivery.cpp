#include "executor/sandbox/secret_delivery.hpp"

#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <string>

namespace berth::sandbox {
namespace {

/// Owner: whom the agent runs as, who is the job's user.
constexpr std::uint32_t k_file_mode = 0400;

}  // namespace

std::vector<std::string> memory_directories(const core::JobSecrets* secrets) {
  if (secrets == nullptr) return {};
  std::vector<std::string> all = secrets->mounts;
  if (secrets->needs_memory()) all.emplace_back(core::k_credentials_directory);
  return all;
}

void deliver_secrets(agentlink::AgentClient& agent, core::ContainerRole role,
                     const core::JobSecrets* secrets, std::stop_token stop) {
  if (secrets == nullptr) return;
  if (!secrets->note.empty()) agent.put(secrets->note, secrets->stages.expose(), {}, stop);
  if (role != core::ContainerRole::build) return;
  for (const core::JobSecrets::File& file : secrets->files)
    agent.put(file.path, file.content.expose(), {.mode = k_file_mode}, stop);
  for (std::size_t i = 0; i < secrets->links.size(); ++i) {
    const std::string target =
        std::string(core::k_credentials_directory) + "/.directory-" + std::to_string(i);
    try {
      agent.put(secrets->links[i], target, {.mode = protocol::k_link_mode}, stop);
    } catch (const agentlink::ConnectionLost&) {
      throw;
    } catch (const support::SystemError& error) {
      // The image has something there, or lets nobody write: as it was, then.
      support::log(support::LogLevel::info, error.what());
    }
  }
}

}  // namespace berth::sandbox
