#include "executor/gitlab/config_output.hpp"

#include <nlohmann/json.hpp>

namespace berth::gitlab {

std::string to_json(const ConfigOutput& output) {
  nlohmann::ordered_json json{
      {"builds_dir", output.builds_dir},
      {"cache_dir", output.cache_dir},
      {"builds_dir_is_shared", output.builds_dir_is_shared},
  };
  if (!output.hostname.empty()) json["hostname"] = output.hostname;
  json["driver"] = {{"name", output.driver_name}, {"version", output.driver_version}};
  if (!output.job_env.empty()) json["job_env"] = output.job_env;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace berth::gitlab
