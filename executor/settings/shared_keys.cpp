#include "executor/settings/shared_keys.hpp"

#include "executor/core/image_ref.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>

namespace berth::settings {
namespace {

bool is_pull_policy(const std::string& word) {
  return word == "always" || word == "if-not-present" || word == "never";
}

std::vector<core::Variable> environment(const Reader& reader, const Value& value) {
  std::vector<core::Variable> all;
  for (const std::string& entry : reader.texts(
           value, "environment",
           [](const std::string& text) { return text.find('=', 1) != std::string::npos; },
           "NAME=value")) {
    const std::size_t equals = entry.find('=', 1);
    all.push_back({.key = entry.substr(0, equals), .value = entry.substr(equals + 1)});
  }
  return all;
}

core::DefaultService service(const Reader& reader, const Value& value,
                             const std::vector<std::string_view>& refused) {
  core::DefaultService result;
  reader.map(
      value, "services",
      {{"name", [&](const Value& v) { result.name = reader.text(v, "name"); }},
       {"alias", [&](const Value& v) { result.alias = reader.text(v, "alias"); }},
       {"entrypoint", [&](const Value& v) { result.entrypoint = reader.texts(v, "entrypoint"); }},
       {"command", [&](const Value& v) { result.command = reader.texts(v, "command"); }},
       {"environment", [&](const Value& v) { result.variables = environment(reader, v); }}},
      refused);
  if (result.name.empty()) reader.fail(value.position, "'services' has an entry without 'name'");
  return result;
}

}  // namespace

std::vector<std::string> read_pull_policies(const Reader& reader, const Value& value,
                                            std::string_view key) {
  constexpr std::string_view k_expected = "always, if-not-present or never";
  if (value.kind == Value::Kind::scalar) {
    if (!is_pull_policy(value.scalar)) reader.bad_value(value, key, k_expected);
    return {value.scalar};
  }
  if (value.kind != Value::Kind::list) reader.wrong_type(value, key, "a word or a list");
  if (value.items.empty()) reader.fail(value.position, fmt::format("'{}' is empty", key));
  return reader.texts(value, key, is_pull_policy, k_expected);
}

std::vector<std::string> read_globs(const Reader& reader, const Value& value,
                                    std::string_view key) {
  return reader.texts(value, key, core::glob_valid, "a pattern such as registry/**");
}

std::vector<core::DefaultService> read_services(const Reader& reader, const Value& value,
                                                const std::vector<std::string_view>& refused) {
  std::vector<core::DefaultService> all;
  for (const Value& item : reader.list(value, "services")) {
    all.push_back(service(reader, item, refused));
  }
  return all;
}

void read_services_timeout(const Reader& reader, const Value& value, core::Policy& policy) {
  const auto wait = reader.duration(value, "wait_for_services_timeout", -1);
  if (wait.count() != 0) policy.wait_for_services_timeout = wait;
}

void read_docker_in_docker(const Reader& reader, const Value& value, core::Policy& policy) {
  const std::string word = reader.text(value, "docker_in_docker");
  if (word == "always") {
    policy.docker_in_docker = core::DockerInDocker::always;
  } else if (word == "never") {
    policy.docker_in_docker = core::DockerInDocker::never;
  } else if (word == "auto") {
    policy.docker_in_docker = core::DockerInDocker::automatic;
  } else {
    reader.bad_value(value, "docker_in_docker", "auto, always or never");
  }
}

std::map<std::string, std::string> read_text_map(const Reader& reader, const Value& value,
                                                 std::string_view key) {
  std::map<std::string, std::string> all;
  if (value.kind == Value::Kind::null) return all;
  if (value.kind != Value::Kind::map) reader.wrong_type(value, key, "a map");
  for (const Value::Entry& entry : value.entries) {
    const bool text =
        entry.value.kind == Value::Kind::scalar || entry.value.kind == Value::Kind::null;
    if (!text) reader.wrong_type(entry.value, entry.key, "a string");
    all[entry.key] = entry.value.kind == Value::Kind::null ? "" : entry.value.scalar;
  }
  return all;
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

}  // namespace berth::settings
