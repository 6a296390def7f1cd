#include "executor/settings/settings.hpp"

#include "executor/settings/docker_section.hpp"
#include "executor/settings/reader.hpp"

namespace berth::settings {

Settings parse(std::string_view yaml, std::string_view name) {
  const Value root = read_document(yaml, name);
  const Reader reader(name);
  Settings settings;
  core::Policy& policy = settings.policy;
  reader.map(
      root, "",
      {{"backend",
        [&](const Value& value) {
          policy.backend = reader.text(value, "backend");
          if (policy.backend == "kubernetes") {
            reader.fail(value.position, "backend 'kubernetes' is not yet supported");
          }
          if (policy.backend != "docker") reader.bad_value(value, "backend", "docker");
        }},
       {"state_dir",
        [&](const Value& value) {
          settings.state_dir = reader.text(value, "state_dir");
          if (!settings.state_dir.is_absolute()) {
            reader.bad_value(value, "state_dir", "an absolute path");
          }
        }},
       {"orphan_timeout",
        [&](const Value& value) {
          policy.orphan_timeout = reader.duration(value, "orphan_timeout", 1);
        }},
       {"connection_timeout",
        [&](const Value& value) {
          policy.connection_timeout = reader.duration(value, "connection_timeout", 1);
        }},
       {"docker",
        [&](const Value& value) { read_docker_section(reader, value, policy, settings.docker); }}},
      {"kubernetes"});
  return settings;
}

}  // namespace berth::settings
