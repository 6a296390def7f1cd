#pragma once

#include "executor/core/job.hpp"
#include "executor/process/process.hpp"
#include "executor/support/secret.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::credentials {

/// What a registry is told about us.
struct RegistryLogin {
  /// Registry host, or host and path: what matched.
  std::string registry{};
  /// As the file or payload spells the server; goes to the registry's engine.
  std::string server_address{};
  std::string username{};
  support::Secret password{};
  /// Takes the place of username and password.
  support::Secret identity_token{};
  /// "$DOCKER_AUTH_CONFIG", a file's path, "job payload (GitLab Registry)"
  std::string source{};
};

/// X-Registry-Auth: base64url with padding of {username, password,
/// serveraddress} or {identitytoken, serveraddress} (Engine API, "Authentication").
support::Secret registry_auth(const RegistryLogin& login);

/// Where logins come from.
struct LoginSources {
  /// The job variable DOCKER_AUTH_CONFIG, else the runner's own environment's;
  /// empty: none.
  support::Secret auth_config{};
  /// Home of the user the runner runs as; empty: none. .docker/config.json,
  /// else .dockercfg.
  std::filesystem::path home{};
  std::vector<core::RegistryCredential> payload{};
};

/// All logins of a job, in order of precedence: auth_config, home, payload. As
/// in the built-in executor, of one registry path the first source wins, and of
/// several paths that match an image the longest.
class RegistryLogins {
 public:
  RegistryLogins() = default;
  explicit RegistryLogins(std::vector<RegistryLogin> logins) : m_logins(std::move(logins)) {}

  /// The login for an image as a user writes its name, or nothing.
  const RegistryLogin* find(const std::string& image) const;
  const std::vector<RegistryLogin>& all() const noexcept { return m_logins; }

 private:
  std::vector<RegistryLogin> m_logins;
};

/// Reads the sources; credential helpers (credsStore, credHelpers) are run on
/// this host as `docker-credential-<name>`. A helper name with a path separator
/// throws JobError or OperatorError by its source. Any other fault of a source
/// drops that source, with a warning that never quotes it.
RegistryLogins load_registry_logins(const LoginSources& sources, process::ProcessRunner& processes,
                                    const std::function<void(const std::string&)>& warn,
                                    std::stop_token stop);

}  // namespace berth::credentials
