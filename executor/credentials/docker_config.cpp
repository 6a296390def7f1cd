#include "executor/credentials/docker_config.hpp"

#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "executor/support/json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::credentials {
namespace {

using Json = nlohmann::json;

constexpr std::string_view k_hub = "docker.io";
constexpr std::string_view k_hub_index = "index.docker.io";

support::SystemError bad(std::string_view what, const std::string& place, const char* why) {
  return support::SystemError("not a Docker configuration: '" + std::string(what) + "': " + place +
                              " " + why);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// Host names know no case, paths do.
std::string with_lower_host(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return lower(path);
  return lower(path.substr(0, slash)) + std::string(path.substr(slash));
}

std::string text_of(const Json& object, const char* key, std::string_view what,
                    const std::string& place) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_string()) throw bad(what, place + "/" + key, "is not a string");
  return found->get<std::string>();
}

/// base64 of "user:password"; some tools pad the password with zero bytes.
void read_auth_field(const std::string& field, ConfiguredAuth& auth, std::string_view what,
                     const std::string& place) {
  const auto decoded = support::base64_decode(field);
  if (!decoded) throw bad(what, place + "/auth", "is not base64");
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos || colon == 0)
    throw bad(what, place + "/auth", "is not 'user:password' in base64");
  auth.username = decoded->substr(0, colon);
  std::string_view password = std::string_view(*decoded).substr(colon + 1);
  while (!password.empty() && password.front() == '\0') password.remove_prefix(1);
  while (!password.empty() && password.back() == '\0') password.remove_suffix(1);
  auth.password = support::Secret(std::string(password));
}

ConfiguredAuth read_auth(const std::string& server, const Json& value, std::string_view what) {
  const std::string place = "/auths/" + server;
  if (!value.is_object()) throw bad(what, place, "is not an object");
  ConfiguredAuth auth{.server = server};
  auth.username = text_of(value, "username", what, place);
  auth.password = support::Secret(text_of(value, "password", what, place));
  auth.identity_token = support::Secret(text_of(value, "identitytoken", what, place));
  if (const std::string field = text_of(value, "auth", what, place); !field.empty())
    read_auth_field(field, auth, what, place);
  return auth;
}

bool is_old_format(const Json& json) {
  return !json.empty() && std::ranges::all_of(json, [](const Json& value) {
    return value.is_object() && value.contains("auth");
  });
}

}  // namespace

DockerConfig parse_docker_config(std::string_view text, std::string_view what) {
  const Json json = support::parse_json(text, what);
  if (!json.is_object()) throw bad(what, "/", "is not an object");
  DockerConfig config;
  const Json empty = Json::object();
  const auto member = [&](const char* key) -> const Json& {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return empty;
    if (!found->is_object()) throw bad(what, std::string("/") + key, "is not an object");
    return *found;
  };
  const Json& auths = is_old_format(json) ? json : member("auths");
  for (const auto& [server, value] : auths.items())
    config.auths.push_back(read_auth(server, value, what));
  config.creds_store = text_of(json, "credsStore", what, "");
  for (const auto& [server, value] : member("credHelpers").items()) {
    if (!value.is_string()) throw bad(what, "/credHelpers/" + server, "is not a string");
    config.cred_helpers[server] = value.get<std::string>();
  }
  return config;
}

std::optional<ConfiguredAuth> parse_helper_reply(std::string_view text, const std::string& server,
                                                 std::string_view what) {
  const Json json = support::parse_json(text, what);
  if (!json.is_object()) throw bad(what, "/", "is not an object");
  ConfiguredAuth auth{.server = server};
  auth.username = text_of(json, "Username", what, "");
  support::Secret secret(text_of(json, "Secret", what, ""));
  if (auth.username == "<token>") {
    auth.username.clear();
    auth.identity_token = std::move(secret);
  } else {
    auth.password = std::move(secret);
  }
  if (auth.username.empty() && auth.identity_token.empty()) return std::nullopt;
  return auth;
}

std::vector<std::string> parse_helper_list(std::string_view text, std::string_view what) {
  const Json json = support::parse_json(text, what);
  if (!json.is_object()) throw bad(what, "/", "is not an object");
  std::vector<std::string> servers;
  for (const auto& [server, user] : json.items()) servers.push_back(server);
  return servers;
}

std::string registry_path(std::string_view server) {
  const std::string prefix = lower(server.substr(0, 8));
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!prefix.starts_with(scheme)) continue;
    const std::string_view rest = server.substr(scheme.size());
    const std::string host = lower(rest.substr(0, rest.find('/')));
    return host == k_hub_index ? std::string(k_hub) : host;
  }
  if (server.ends_with('/')) server.remove_suffix(1);
  const std::size_t slash = server.rfind('/');
  const std::size_t colon = server.rfind(':');
  if (slash != std::string_view::npos && colon != std::string_view::npos && colon > slash)
    server = server.substr(0, colon);
  const std::string path = with_lower_host(server);
  return path == k_hub_index ? std::string(k_hub) : path;
}

std::string image_path(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
  const std::string path(image.substr(0, colon));
  const std::size_t first = path.find('/');
  const std::string head = path.substr(0, first);
  if (first == std::string::npos ||
      (head.find_first_of(".:") == std::string::npos && head != "localhost"))
    return std::string(k_hub) + "/" + path;
  if (lower(head) == k_hub_index) return std::string(k_hub) + path.substr(first);
  return with_lower_host(path);
}

}  // namespace berth::credentials
