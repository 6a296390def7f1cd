#include "executor/credentials/registry_logins.hpp"

#include "executor/credentials/docker_config.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::credentials {
namespace {

constexpr std::size_t k_max_config = std::size_t{4} << 20;
constexpr const char* k_variable = "$DOCKER_AUTH_CONFIG";
constexpr const char* k_payload = "job payload (GitLab Registry)";

/// A helper named "../x" would be a program of the job's choice.
class ForbiddenHelper : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void check_helper_name(const std::string& name) {
  if (name.find_first_of("/\\") != std::string::npos || name == "." || name == "..")
    throw ForbiddenHelper("credential helper names with a path are not allowed");
}

class HelperProgram {
 public:
  HelperProgram(const std::string& name, process::ProcessRunner& processes, std::stop_token stop)
      : m_program("docker-credential-" + name), m_processes(processes), m_stop(std::move(stop)) {}

  const std::string& name() const { return m_program; }

  /// What it wrote. Its words on failure may hold anything: they are not shown.
  support::Secret ask(const std::string& verb, const std::string& input) {
    process::ProcessSpec spec;
    spec.argv = {m_program, verb};
    spec.input = support::Secret(input);
    process::ProcessResult result = m_processes.run(spec, m_stop);
    if (result.success()) return std::move(result.output);
    // docker-credential-helpers, credentials/error.go: not a failure.
    if (result.output.expose().find("credentials not found") != std::string_view::npos) return {};
    throw support::SystemError("'" + m_program + " " + verb + "' " + ending(result));
  }

 private:
  static std::string ending(const process::ProcessResult& result) {
    if (result.ended == process::ProcessResult::Ended::timeout) return "took too long";
    if (result.ended == process::ProcessResult::Ended::output_limit) return "wrote too much";
    if (result.signal) return "was killed by signal " + std::to_string(*result.signal);
    return "failed with exit status " + std::to_string(result.exit_code.value_or(-1));
  }

  std::string m_program;
  process::ProcessRunner& m_processes;
  std::stop_token m_stop;
};

std::optional<ConfiguredAuth> get(HelperProgram& helper, const std::string& server) {
  const support::Secret reply = helper.ask("get", server);
  if (reply.empty()) return std::nullopt;
  return parse_helper_reply(reply.expose(), server, helper.name());
}

/// Everything one configuration knows; of one server a helper's word counts more
/// than the file's, and the server's own helper's most.
std::vector<ConfiguredAuth> resolve(const DockerConfig& config, process::ProcessRunner& processes,
                                    const std::stop_token& stop) {
  // All names first: a forbidden one is fatal whatever else fails.
  if (!config.creds_store.empty()) check_helper_name(config.creds_store);
  for (const auto& [server, name] : config.cred_helpers) check_helper_name(name);
  std::vector<ConfiguredAuth> all;
  for (const auto& [server, name] : config.cred_helpers) {
    HelperProgram helper(name, processes, stop);
    if (auto auth = get(helper, server)) all.push_back(std::move(*auth));
  }
  if (!config.creds_store.empty()) {
    HelperProgram helper(config.creds_store, processes, stop);
    const support::Secret list = helper.ask("list", "");
    if (!list.empty()) {
      for (const std::string& server : parse_helper_list(list.expose(), helper.name())) {
        if (config.cred_helpers.contains(server)) continue;
        if (auto auth = get(helper, server)) all.push_back(std::move(*auth));
      }
    }
  }
  for (const ConfiguredAuth& auth : config.auths) {
    if (!auth.username.empty() || !auth.identity_token.empty()) all.push_back(auth);
  }
  return all;
}

class Loader {
 public:
  Loader(process::ProcessRunner& processes, const std::function<void(const std::string&)>& warn,
         std::stop_token stop)
      : m_processes(processes), m_warn(warn), m_stop(std::move(stop)) {}

  /// Throws ForbiddenHelper; anything else drops the source with a warning.
  template <typename ReadText>
  void add_config(const std::string& source, ReadText read_text) {
    try {
      const support::Secret text = read_text();
      if (text.expose().find_first_not_of(" \t\r\n") == std::string_view::npos) return;
      for (ConfiguredAuth& auth :
           resolve(parse_docker_config(text.expose(), source), m_processes, m_stop))
        add(source, std::move(auth));
    } catch (const support::Error& error) {
      m_warn("registry credentials of " + source + " are not used: " + error.what());
    }
  }

  void add(const std::string& source, ConfiguredAuth auth) {
    std::string registry = registry_path(auth.server);
    const bool known = std::ranges::any_of(
        m_logins, [&](const RegistryLogin& login) { return login.registry == registry; });
    if (known) return;
    m_logins.push_back({.registry = std::move(registry),
                        .server_address = std::move(auth.server),
                        .username = std::move(auth.username),
                        .password = std::move(auth.password),
                        .identity_token = std::move(auth.identity_token),
                        .source = source});
  }

  std::vector<RegistryLogin> take() { return std::move(m_logins); }

 private:
  process::ProcessRunner& m_processes;
  const std::function<void(const std::string&)>& m_warn;
  std::stop_token m_stop;
  std::vector<RegistryLogin> m_logins;
};

/// The home's configuration file, the newer one where both exist; "" for none.
std::filesystem::path config_file(const std::filesystem::path& home) {
  if (home.empty()) return {};
  std::error_code ignored;
  for (const char* name : {".docker/config.json", ".dockercfg"}) {
    if (std::filesystem::exists(home / name, ignored)) return home / name;
  }
  return {};
}

}  // namespace

support::Secret registry_auth(const RegistryLogin& login) {
  nlohmann::json json{{"serveraddress", login.server_address}};
  if (login.identity_token.empty()) {
    json["username"] = login.username;
    json["password"] = login.password.expose();
  } else {
    json["identitytoken"] = login.identity_token.expose();
  }
  const support::Secret text(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return support::Secret(support::base64url_encode(text.expose()));
}

const RegistryLogin* RegistryLogins::find(const std::string& image) const {
  std::string path = image_path(image);
  while (!path.empty()) {
    const auto found = std::ranges::find(m_logins, path, &RegistryLogin::registry);
    if (found != m_logins.end()) return &*found;
    const std::size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
  return nullptr;
}

RegistryLogins load_registry_logins(const LoginSources& sources, process::ProcessRunner& processes,
                                    const std::function<void(const std::string&)>& warn,
                                    std::stop_token stop) {
  Loader loader(processes, warn, stop);
  try {
    loader.add_config(k_variable, [&] { return sources.auth_config; });
  } catch (const ForbiddenHelper& error) {
    throw support::JobError(
        std::string("registry credentials: ") + k_variable + ": " + error.what(),
        "credsStore and credHelpers name a helper, not a file");
  }
  if (const std::filesystem::path file = config_file(sources.home); !file.empty()) {
    try {
      loader.add_config(file.string(),
                        [&] { return support::Secret(support::read_file(file, k_max_config)); });
    } catch (const ForbiddenHelper& error) {
      throw support::OperatorError("registry credentials: '" + file.string() + "': " + error.what(),
                                   "credsStore and credHelpers name a helper, not a file");
    }
  }
  for (const core::RegistryCredential& credential : sources.payload) {
    loader.add(k_payload, {.server = credential.url,
                           .username = credential.username,
                           .password = credential.password});
  }
  return RegistryLogins(loader.take());
}

}  // namespace berth::credentials
