#pragma once

#include "executor/support/secret.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Docker's client configuration (docs.docker.com, "docker login"): the part
/// about registries. Pure, fuzzed.
namespace berth::credentials {

struct ConfiguredAuth {
  /// As the file spells it: "https://index.docker.io/v1/", "registry.example.com".
  std::string server{};
  std::string username{};
  support::Secret password{};
  support::Secret identity_token{};
};

struct DockerConfig {
  std::vector<ConfiguredAuth> auths{};
  /// Name of a helper for everything; empty: none.
  std::string creds_store{};
  /// Server -> name of the helper.
  std::map<std::string, std::string> cred_helpers{};
};

/// Reads config.json, or the older .dockercfg (the auths alone). `what` names it
/// in messages, which never quote the text. Throws support::SystemError.
DockerConfig parse_docker_config(std::string_view text, std::string_view what);

/// What a credential helper answers to `get`: {ServerURL, Username, Secret};
/// the user "<token>" means an identity token. Nothing where it has none.
std::optional<ConfiguredAuth> parse_helper_reply(std::string_view text, const std::string& server,
                                                 std::string_view what);

/// What it answers to `list`: server -> user.
std::vector<std::string> parse_helper_list(std::string_view text, std::string_view what);

/// "https://index.docker.io/v1/" -> "docker.io"; "https://Host/v1/" -> "host";
/// "Host/path/" -> "host/path" (gitlab-runner, helpers/docker/auth).
std::string registry_path(std::string_view server);

/// "debian:12" -> "docker.io/debian"; "Host:5000/a/b@sha256:…" -> "host:5000/a/b".
std::string image_path(std::string_view image);

}  // namespace berth::credentials
