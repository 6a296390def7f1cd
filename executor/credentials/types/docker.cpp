// Docker's client configuration, DOCKER_AUTH_CONFIG.

#include "executor/credentials/docker_config.hpp"
#include "executor/credentials/types/recognise.hpp"
#include "executor/credentials/words.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace berth::credentials {
namespace {

using Json = nlohmann::json;
using support::Secret;

bool is_old_format(const Json& json) {
  return !json.empty() && std::ranges::all_of(json, [](const Json& value) {
    return value.is_object() && value.contains("auth");
  });
}

bool is_object(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_object();
}

/// Texts that are secret as they stand, whether or not the file can be used.
void add_written_secrets(const Json& auths, std::vector<Secret>& secrets) {
  for (const Json& auth : auths) {
    if (!auth.is_object()) continue;
    for (const char* key : {"auth", "password", "identitytoken", "registrytoken"}) {
      const auto found = auth.find(key);
      if (found != auth.end() && found->is_string())
        secrets.emplace_back(found->get<std::string>());
    }
  }
}

/// Entry by entry, so that one bad one is named and the others count.
void read_auths(const Json& auths, Credential& credential) {
  std::set<std::string> registries;
  for (const auto& [server, value] : auths.items()) {
    const std::string name = shown_url(server);
    DockerConfig config;
    try {
      const Secret alone(Json{{"auths", {{server, value}}}}.dump());
      config = parse_docker_config(alone.expose(), "auths");
    } catch (const support::Error&) {
      credential.problems.push_back(
          fmt::format("'{}': its auth is not base64 of user:password", name));
      continue;
    }
    const ConfiguredAuth& auth = config.auths.front();
    if (auth.username.empty() && auth.identity_token.empty()) {
      credential.notes.push_back(fmt::format("'{}' has no login", name));
      continue;
    }
    if (!registries.insert(registry_path(server)).second)
      credential.notes.push_back(fmt::format("'{}' is there in two spellings", name));
    if (!auth.identity_token.empty()) {
      credential.secrets.push_back(auth.identity_token);
    } else {
      credential.secrets.push_back(auth.password);
      credential.secrets.emplace_back(fmt::format("{}:{}", auth.username, auth.password.expose()));
    }
  }
  std::vector<std::string> names;
  for (const std::string& registry : registries) names.push_back(shown_url(registry));
  if (!names.empty()) credential.subject = "for " + joined(first_few(std::move(names)), ", ");
}

void read_helpers(const Json& json, Credential& credential) {
  std::set<std::string> programs;
  const auto add = [&](const Json& name) {
    if (name.is_string())
      programs.insert("docker-credential-" + shown(name.get<std::string>()));
    else
      credential.problems.emplace_back("a helper's name is not a text");
  };
  if (json.contains("credsStore")) add(json["credsStore"]);
  if (is_object(json, "credHelpers"))
    for (const Json& name : json["credHelpers"]) add(name);
  for (const std::string& program : programs)
    credential.notes.push_back(fmt::format("needs the program '{}'", program));
}

}  // namespace

Recognised recognise_docker(const Json& json) {
  const bool old_format = is_old_format(json);
  if (!old_format && !is_object(json, "auths") && !is_object(json, "credHelpers")) return {};
  Credential credential;
  credential.type = Type::docker_config;
  if (old_format || is_object(json, "auths")) {
    const Json& auths = old_format ? json : json["auths"];
    add_written_secrets(auths, credential.secrets);
    read_auths(auths, credential);
  }
  if (!old_format) read_helpers(json, credential);
  if (credential.subject.empty() && credential.notes.empty() && credential.problems.empty())
    credential.notes.emplace_back("no logins");
  return settled(std::move(credential));
}

}  // namespace berth::credentials
