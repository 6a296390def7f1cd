#include "executor/kubernetes/agent_delivery.hpp"

#include "executor/kubernetes/pod/agent_config_map.hpp"
#include "executor/kubernetes/pod/pod.hpp"
#include "executor/sandbox/agent_program.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <sys/utsname.h>

namespace berth::kubernetes {
namespace {

/// More than a ConfigMap takes, so that its own error names the sizes.
constexpr std::size_t k_most_bytes = std::size_t{16} << 20;

std::string machine() {
  struct ::utsname name {};
  return ::uname(&name) == 0 ? name.machine : "";
}

}  // namespace

AgentDelivery plan_agent(const settings::Kubernetes& settings,
                         const std::filesystem::path& program_dir) {
  if (!settings.agent_image.empty()) return {};
  std::string architecture = node_architecture(settings, machine());
  std::string program =
      support::read_file(sandbox::find_agent_program(program_dir, architecture).path, k_most_bytes);
  std::string name = agent_config_map_name(program, architecture);
  return {.architecture = std::move(architecture),
          .config_map = std::move(name),
          .program = std::move(program)};
}

void deliver_agent(Client& client, const std::string& name_space, const AgentDelivery& agent,
                   const KnownMaps& known, std::stop_token stop) {
  const std::string& name = agent.config_map;
  if (name.empty()) return;
  const auto uid = client.find_uid(resources::k_config_maps, name_space, name, stop);
  if (uid && known.has(name, *uid)) return;
  std::optional<nlohmann::json> there;
  if (uid) there = client.find(resources::k_config_maps, name_space, name, stop);
  if (!there) {
    try {
      there = client.create(resources::k_config_maps, name_space,
                            agent_config_map(agent.program, agent.architecture), stop);
    } catch (const ApiError& error) {
      // Another job was quicker.
      if (!error.already_exists()) throw;
      there = client.get(resources::k_config_maps, name_space, name, stop);
    }
  }
  if (!is_agent_config_map(*there, agent.program, agent.architecture)) {
    throw support::OperatorError(
        fmt::format("config map '{}/{}' is not the one Berth makes: it holds something else, or "
                    "may be changed",
                    name_space, name),
        "find out who made it, and delete it; or set `agent_image`");
  }
  known.note(name, there->value(nlohmann::json::json_pointer("/metadata/uid"), std::string()));
}

}  // namespace berth::kubernetes
