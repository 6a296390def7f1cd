#include "executor/credentials/delivery.hpp"

#include "agent/protocol/messages.hpp"
#include "executor/core/volume.hpp"
#include "executor/credentials/words.hpp"
#include "executor/masking/stage_secrets.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace berth::credentials {
namespace {

using settings::Credentials;

constexpr std::chrono::days k_soon{14};
constexpr std::size_t k_note_name_bytes = 16;
/// An agent keeps no more than protocol::k_max_file.
constexpr std::size_t k_max_changed = std::size_t{3} << 20;
/// The runner's own, for image pulls: a job that pushes has its own configuration.
constexpr std::string_view k_pull_variable = "DOCKER_AUTH_CONFIG";

/// Where tools look for a credential of the type.
struct Place {
  /// Below the variable's own place; empty: that is the file.
  std::string_view file{};
  /// Variables with the path of that place.
  std::vector<std::string_view> exports{};
};

std::optional<Place> place_of(Type type) {
  switch (type) {
    case Type::kubeconfig:
      return Place{.exports = {"KUBECONFIG"}};
    case Type::google_service_account:
    case Type::google_external_account:
    case Type::google_authorized_user:
      return Place{
          .exports = {"GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"}};
    case Type::docker_config:
      return Place{.file = "/config.json", .exports = {"DOCKER_CONFIG"}};
    case Type::ssh_key:
      return Place{.exports = {"SSH_PRIVATE_KEY_FILE"}};
    case Type::aws_credentials:
      return Place{.exports = {"AWS_SHARED_CREDENTIALS_FILE"}};
    case Type::netrc:
      return Place{.exports = {"NETRC"}};
    case Type::npmrc:
      return Place{.exports = {"NPM_CONFIG_USERCONFIG"}};
    case Type::private_key:
      return Place{};
    case Type::certificates:
    case Type::jwt:
      return std::nullopt;
  }
  return std::nullopt;
}

bool is_file_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string days_until(std::chrono::sys_seconds end, std::chrono::sys_seconds now) {
  const auto days = std::chrono::duration_cast<std::chrono::days>(end - now).count();
  return days == 0 ? "today" : days == 1 ? "in a day" : fmt::format("in {} days", days);
}

/// "kubeconfig, deployer at production, expires 2027-01-05"
std::string description(const Credential& credential) {
  std::string text(name_of(credential.type));
  if (!credential.subject.empty()) text += ", " + credential.subject;
  if (credential.expiry) text += ", expires " + shown_date(*credential.expiry);
  return text;
}

bool expires_soon(const Credential& credential, std::chrono::sys_seconds now) {
  // A token of a job lives for minutes.
  return credential.expiry && credential.type != Type::jwt && *credential.expiry > now &&
         *credential.expiry - now < k_soon;
}

bool is_changed(const RecognisedVariable& one, const Credentials& settings) {
  return settings.normalise && one.in_scope && !one.finding.one_line.empty();
}

/// Whether `path` is in `directory` or is it.
bool is_within(std::string_view path, std::string_view directory) {
  return !directory.empty() && path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

/// Where a script of the job will write the configuration that it decodes.
std::optional<std::string> kubeconfig_directory(const core::Variables& expanded,
                                                const core::JobSpec& spec) {
  const core::Variable* variable = expanded.find("KUBECONFIG");
  if (variable == nullptr || variable->file || !variable->value.starts_with('/')) return {};
  const std::string path = core::clean_path(variable->value);
  const std::size_t slash = path.rfind('/');
  const std::string directory = path.substr(0, slash);
  const bool odd =
      path.find(':') != std::string::npos || (path + "/").find("/../") != std::string::npos;
  // One that git looks at is no place for links; /tmp and the like exist anyway.
  if (slash == 0 || odd || is_within(directory, spec.builds_dir) ||
      is_within(directory, spec.cache_dir) || is_within(directory, core::k_credentials_directory))
    return {};
  return directory;
}

class Delivery {
 public:
  Delivery(const core::Variables& expanded, const core::JobSpec& spec, const Credentials& settings)
      : m_expanded(expanded), m_spec(spec), m_settings(settings) {}

  void add(const RecognisedVariable& one) {
    if (!one.finding.credential) return;
    const Credential& credential = *one.finding.credential;
    if (m_settings.mask) mask(one.name, credential);
    if (!one.in_scope) return;
    if (is_changed(one, m_settings)) change(one);
    m_any = true;
    if (m_settings.deliver != Credentials::Deliver::off) deliver(one.name, credential);
  }

  core::JobSecrets take() {
    for (const auto& [name, paths] : m_exports) {
      if (paths.size() == 1)
        m_secrets.exports.emplace(name, paths.front());
      else
        m_secrets.notes.push_back(
            fmt::format("{} is not set: {} credentials fit it; they are files in {}", name,
                        paths.size(), core::k_credentials_directory));
    }
    // A script may decode what nobody recognises.
    m_secrets.mounts = m_settings.shield_paths;
    if (m_any && m_settings.shield_kubeconfig) shield_kubeconfig();
    if (m_stages != masking::StageSecrets{}) {
      m_secrets.note = protocol::k_note_prefix + support::random_hex(k_note_name_bytes);
      m_secrets.stages = masking::encode(m_stages);
    }
    return std::move(m_secrets);
  }

 private:
  void mask(const std::string& name, const Credential& credential) {
    for (const support::Secret& secret : credential.secrets) {
      m_masked_bytes += secret.expose().size();
      if (m_masked_bytes > masking::k_max_secret_bytes ||
          m_stages.secrets.size() >= masking::k_max_secrets) {
        m_secrets.warnings.push_back(fmt::format(
            "credential {}: it holds more secrets than a log can be searched for: not all of them "
            "are masked",
            shown(name)));
        return;
      }
      m_stages.secrets.push_back(secret);
    }
  }

  void change(const RecognisedVariable& one) {
    m_changed_bytes += one.value.expose().size() + one.finding.one_line.expose().size();
    if (m_changed_bytes <= k_max_changed) {
      m_stages.changes.push_back({.from = one.value, .to = one.finding.one_line});
    } else {
      m_secrets.warnings.push_back(
          fmt::format("credential {}: too large to be given in one line", shown(one.name)));
    }
  }

  void deliver(const std::string& name, const Credential& credential) {
    const auto place = place_of(credential.type);
    if (!place || name == k_pull_variable || !is_file_name(name)) return;
    const std::string path = std::string(core::k_credentials_directory) + "/" + name;
    m_secrets.files.push_back(
        {.path = path + std::string(place->file), .content = credential.content});
    if (m_settings.deliver != Credentials::Deliver::variables) return;
    for (const std::string_view variable : place->exports)
      if (m_expanded.find(variable) == nullptr) m_exports[std::string(variable)].push_back(path);
  }

  void shield_kubeconfig() {
    const auto directory = kubeconfig_directory(m_expanded, m_spec);
    const auto mounted = [&](const std::string& path) { return is_within(*directory, path); };
    if (directory && std::ranges::none_of(m_secrets.mounts, mounted))
      m_secrets.links.push_back(*directory);
  }

  const core::Variables& m_expanded;
  const core::JobSpec& m_spec;
  const Credentials& m_settings;
  core::JobSecrets m_secrets;
  masking::StageSecrets m_stages;
  std::size_t m_masked_bytes = 0;
  std::size_t m_changed_bytes = 0;
  bool m_any = false;
  /// Paths by variable.
  std::map<std::string, std::vector<std::string>> m_exports;
};

}  // namespace

void report(const std::vector<RecognisedVariable>& variables, const Credentials& settings,
            std::chrono::sys_seconds now, core::Console& console) {
  for (const RecognisedVariable& one : variables) {
    const std::string what = "credential " + shown(one.name) + ": ";
    const Finding& finding = one.finding;
    std::string fault;
    if (!finding.credential) {
      fault = fmt::format("{}{}: {}", what, name_of(finding.verdict), finding.fault);
    } else {
      console.line(what + description(*finding.credential) +
                   (one.in_scope ? "" : "; this job is out of its scope: left as it is"));
      if (finding.verdict == Verdict::invalid)
        fault = what + "it will not work: " + joined(first_few(finding.credential->problems), ", ");
      if (expires_soon(*finding.credential, now))
        console.warning(
            fmt::format("{}it expires {}", what, days_until(*finding.credential->expiry, now)));
      if (is_changed(one, settings))
        console.line(
            fmt::format("{}{}: scripts get it in one line", what, joined(finding.encoding, ", ")));
    }
    // The name behind the `$` may be part of a secret.
    if (one.lost_dollar)
      console.warning(what +
                      "it has a `$` that names no variable, which the runner has replaced by "
                      "nothing: untick `Expand variable reference` in the variable's settings");
    if (fault.empty()) continue;
    if (settings.on_invalid == Credentials::OnInvalid::fail && one.in_scope)
      throw support::JobError(fault,
                              "correct the variable; this runner's settings say "
                              "`on_invalid: fail`");
    console.warning(fault);
  }
}

core::JobSecrets make_job_secrets(const std::vector<RecognisedVariable>& variables,
                                  const core::Variables& expanded, const core::JobSpec& spec,
                                  const Credentials& settings) {
  Delivery delivery(expanded, spec, settings);
  for (const RecognisedVariable& one : variables) delivery.add(one);
  return delivery.take();
}

core::JobSecrets job_secrets(const core::Job& job, const core::Variables& expanded,
                             const core::JobSpec& spec, const Credentials& settings,
                             core::Console& console) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto variables = recognise_variables(job, expanded, settings, now);
  report(variables, settings, now, console);
  core::JobSecrets secrets = make_job_secrets(variables, expanded, spec, settings);
  for (const std::string& note : secrets.notes) console.line(note);
  for (const std::string& warning : secrets.warnings) console.warning(warning);
  return secrets;
}

}  // namespace berth::credentials
