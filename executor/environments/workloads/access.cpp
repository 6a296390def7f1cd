#include "executor/environments/workloads/access.hpp"

#include "executor/core/expand.hpp"
#include "executor/core/image_ref.hpp"
#include "executor/credentials/credential.hpp"
#include "executor/kubernetes/api/kubeconfig.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

namespace berth::environments::workloads {
namespace {

using From = KubeconfigText::From;

/// No kubeconfig is shorter.
constexpr std::size_t k_least = 64;

std::optional<support::Secret> decode(const core::Variable& variable,
                                      std::chrono::sys_seconds now) {
  if (variable.value.size() < k_least) return std::nullopt;
  const credentials::Finding finding = credentials::examine(variable.value, now);
  if (!finding.credential || finding.credential->type != credentials::Type::kubeconfig)
    return std::nullopt;
  return finding.credential->content;
}

std::string plain(const core::Variables& variables, std::string_view key) {
  const core::Variable* variable = variables.find(key);
  if (variable == nullptr) return {};
  return variable->raw ? variable->value : core::expand(variable->value, variables);
}

std::string wanted_context(const core::Variables& variables) {
  for (const char* key : {"KUBECONTEXT", "KUBE_CONTEXT"}) {
    if (std::string value = plain(variables, key); !value.empty()) return value;
  }
  return {};
}

/// The sixth field of the user's line (passwd(5)).
std::string home_of(std::string_view passwd, std::uint32_t uid) {
  while (!passwd.empty()) {
    const std::size_t end = std::min(passwd.find('\n'), passwd.size());
    std::array<std::string_view, 7> fields{};
    std::string_view line = passwd.substr(0, end);
    for (std::string_view& field : fields) {
      const std::size_t colon = std::min(line.find(':'), line.size());
      field = line.substr(0, colon);
      line.remove_prefix(std::min(colon + 1, line.size()));
    }
    std::uint32_t number = 0;
    const auto [stop, failure] =
        std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), number);
    if (!fields[2].empty() && failure == std::errc() && number == uid)
      return std::string(fields[5]);
    passwd.remove_prefix(std::min(end + 1, passwd.size()));
  }
  return {};
}

/// Why a kubeconfig that others wrote may not be used by this machine; empty: it may.
std::string why_unsafe(const kubernetes::KubeSelection& selection) {
  const kubernetes::KubeUser& user = selection.user;
  const kubernetes::KubeCluster& cluster = selection.cluster;
  if (user.exec)
    return fmt::format("{} starts a program ('{}'), and Berth starts none that a job names",
                       user.where, user.exec->command);
  if (!user.auth_provider.empty()) return user.where + " needs an auth-provider";
  const bool files = !user.certificate.file.empty() || !user.key_file.empty() ||
                     !user.token_file.empty() || !cluster.ca.file.empty();
  if (files) return selection.where + " refers to files beside it";
  if (!cluster.proxy_url.empty()) return cluster.where + " wants a proxy";
  if (!cluster.server.starts_with("https://")) return cluster.where + ": its server is not https";
  // As it is written; what a name resolves to is looked at where it is connected to
  // (Connection::elsewhere).
  const std::string_view host = std::string_view(cluster.server).substr(8);
  for (const std::string_view own :
       {"localhost", "127.", "[::1]", "[::ffff:127.", "0.0.0.0", "[::]", "169.254.", "[fe80"}) {
    if (host.starts_with(own))
      return fmt::format("{}: its server '{}' is an address of this machine", cluster.where,
                         cluster.server);
  }
  return {};
}

/// The one name that is pinned; "" where there are several, or a pattern.
std::string only(const std::vector<std::string>& globs) {
  const bool name = globs.size() == 1 && globs.front().find_first_of("*?[") == std::string::npos;
  return name ? globs.front() : std::string();
}

void check_pin(const std::vector<std::string>& globs, const char* what, const std::string& used,
               const std::string& where) {
  const auto matches = [&](const std::string& glob) { return core::glob_match(glob, used); };
  if (globs.empty() || std::any_of(globs.begin(), globs.end(), matches)) return;
  throw WrongTarget(
      fmt::format("the environment's {} is '{}', and the job uses '{}' ({})", what,
                  fmt::join(globs, "', '"), used, where),
      "deploy from the job of the right environment, or let the operator change the rule");
}

std::string context_of(const KubeconfigText& kubeconfig, const kubernetes::Kubeconfig& config,
                       const core::Variables& variables, const Pins& pins) {
  if (kubeconfig.from == From::file) {
    check_pin(pins.contexts, "context", config.current_context, kubeconfig.where);
    return config.current_context;
  }
  std::string wanted = wanted_context(variables);
  if (kubeconfig.from == From::operator_) {
    // The names of its contexts are the operator's, the job's are those of its own kubeconfig.
    if (!wanted.empty()) check_pin(pins.contexts, "context", wanted, "its variables");
    for (const std::string& name : {wanted, only(pins.contexts)}) {
      if (config.contexts.contains(name)) return name;
    }
    return config.current_context;
  }
  if (wanted.empty()) wanted = only(pins.contexts);
  if (wanted.empty()) wanted = config.current_context;
  check_pin(pins.contexts, "context", wanted, kubeconfig.where);
  return wanted;
}

/// An operator's credential shows a job no namespace but the one it was given for.
void check_own_namespace(const KubeconfigText& kubeconfig, const Target& target) {
  const std::string& own = target.connection.default_namespace;
  if (target.name_space.empty() || target.name_space == own) return;
  throw support::OperatorError(
      fmt::format("the job deploys to namespace '{}', and {} is for '{}'", target.name_space,
                  kubeconfig.where, own),
      "list the environment's namespaces as `namespaces` of its rule in berth.yaml");
}

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace

std::optional<KubeconfigText> kubeconfig_of(const core::Variables& variables,
                                            std::chrono::sys_seconds now) {
  const auto as_text = [&](const std::string& key) -> std::optional<KubeconfigText> {
    const core::Variable* variable = variables.find(key);
    if (variable == nullptr) return std::nullopt;
    std::optional<support::Secret> text = decode(*variable, now);
    if (!text) return std::nullopt;
    return KubeconfigText{.where = "variable " + key, .text = std::move(*text)};
  };
  for (const char* key : {"KUBECONFIG", "KUBE_CONFIG"}) {
    if (auto found = as_text(key)) return found;
  }
  std::optional<KubeconfigText> named;
  std::vector<KubeconfigText> all;
  for (const core::Variable& one : variables.all()) {
    auto found = as_text(one.key);
    const auto same = [&](const KubeconfigText& other) { return other.text == found->text; };
    if (!found || std::any_of(all.begin(), all.end(), same)) continue;
    if (!named && one.key.find("KUBE") != std::string::npos) named = *found;
    all.push_back(std::move(*found));
  }
  if (named) return named;
  if (all.size() == 1) return std::move(all.front());
  return std::nullopt;
}

std::vector<std::string> kubeconfig_paths(const core::Variables& variables, std::string_view passwd,
                                          std::uint32_t uid) {
  std::vector<std::string> paths;
  const auto add = [&](std::string path) {
    if (path.starts_with('/') && std::find(paths.begin(), paths.end(), path) == paths.end())
      paths.push_back(std::move(path));
  };
  const core::Variable* named = variables.find("KUBECONFIG");
  if (named != nullptr && !named->file) {
    // The first of several is the one that kubectl writes to.
    std::string list = plain(variables, "KUBECONFIG");
    if (list.size() < 4096) add(list.substr(0, list.find(':')));
  }
  if (const std::string home = home_of(passwd, uid); !home.empty())
    add((home == "/" ? "" : home) + "/.kube/config");
  if (const std::string home = plain(variables, "HOME"); !home.empty()) add(home + "/.kube/config");
  return paths;
}

Target target_of(const KubeconfigText& kubeconfig, const core::Variables& variables,
                 const Pins& pins) {
  try {
    const kubernetes::Kubeconfig config =
        kubernetes::parse_kubeconfig(kubeconfig.text.expose(), kubeconfig.where);
    const std::string context = context_of(kubeconfig, config, variables, pins);
    const kubernetes::KubeSelection selection =
        kubernetes::select_context(config, context, kubeconfig.where);
    if (kubeconfig.from != From::operator_) {
      if (const std::string why = why_unsafe(selection); !why.empty())
        throw support::JobError(
            kubeconfig.where + ": " + why,
            "a service account's token within the kubeconfig works; or let the operator give the "
            "environment a kubeconfig in berth.yaml");
    }
    Target target{.connection = kubernetes::connection_from(selection, environment),
                  .context = context,
                  .name_space = plain(variables, "KUBE_NAMESPACE")};
    target.connection.elsewhere = kubeconfig.from != From::operator_;
    if (kubeconfig.from == From::operator_ && pins.namespaces.empty())
      check_own_namespace(kubeconfig, target);
    if (target.name_space.empty()) target.name_space = only(pins.namespaces);
    if (target.name_space.empty()) target.name_space = target.connection.default_namespace;
    check_pin(pins.namespaces, "namespace", target.name_space, kubeconfig.where);
    return target;
  } catch (const support::OperatorError& error) {
    if (kubeconfig.from == From::operator_) throw;
    // Whoever wrote the variable can mend it.
    throw support::JobError(error.what(), error.hint());
  }
}

}  // namespace berth::environments::workloads
