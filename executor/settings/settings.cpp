#include "executor/settings/settings.hpp"

#include "executor/settings/credentials_section.hpp"
#include "executor/settings/docker_section.hpp"
#include "executor/settings/environments_section.hpp"
#include "executor/settings/kubernetes_section.hpp"
#include "executor/settings/reader.hpp"

#include <map>

namespace berth::settings {

Settings parse(std::string_view yaml, std::string_view name) {
  const Value root = read_document(yaml, name);
  const Reader reader(name);
  Settings settings;
  core::Policy common;
  // Both sections may stand in a file; only the chosen backend's rules count.
  std::map<std::string_view, core::Policy> rules;
  read_kubernetes_section(reader, {}, rules["kubernetes"], settings.kubernetes);
  reader.map(
      root, "",
      {{"backend",
        [&](const Value& value) {
          common.backend = reader.text(value, "backend");
          if (common.backend != "docker" && common.backend != "kubernetes") {
            reader.bad_value(value, "backend", "docker or kubernetes");
          }
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
          common.orphan_timeout = reader.duration(value, "orphan_timeout", 1);
        }},
       {"connection_timeout",
        [&](const Value& value) {
          common.connection_timeout = reader.duration(value, "connection_timeout", 1);
        }},
       {"pull_retry_timeout",
        [&](const Value& value) {
          common.pull_retry_timeout = reader.duration(value, "pull_retry_timeout", 0);
        }},
       {"service_compat",
        [&](const Value& value) {
          common.service_compat = reader.boolean(value, "service_compat");
        }},
       {"credentials",
        [&](const Value& value) { read_credentials_section(reader, value, settings.credentials); }},
       {"docker",
        [&](const Value& value) {
          read_docker_section(reader, value, rules["docker"], settings.docker);
        }},
       {"environments",
        [&](const Value& value) {
          settings.environments = read_environments_section(reader, value);
        }},
       {"kubernetes", [&](const Value& value) {
          read_kubernetes_section(reader, value, rules["kubernetes"], settings.kubernetes);
        }}});
  settings.policy = rules[common.backend];
  settings.policy.backend = common.backend;
  settings.policy.orphan_timeout = common.orphan_timeout;
  settings.policy.connection_timeout = common.connection_timeout;
  settings.policy.pull_retry_timeout = common.pull_retry_timeout;
  settings.policy.service_compat = common.service_compat;
  return settings;
}

bool is_shared(const Settings& settings, std::string_view directory) {
  return settings.policy.backend == "kubernetes" && is_shared(settings.kubernetes, directory);
}

}  // namespace berth::settings
