#pragma once

#include "executor/kubernetes/api/credentials.hpp"
#include "executor/support/secret.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// kubectl's configuration (clientcmd/v1 Config), as far as it says how to reach
/// a cluster. Pure, fuzzed; files it names are not read here.
namespace berth::kubernetes {

/// A value that stands in the file itself (decoded), or in a file beside it.
struct DataOrFile {
  std::string data{};
  std::filesystem::path file{};
  bool empty() const { return data.empty() && file.empty(); }
};

struct KubeCluster {
  std::string server{};
  DataOrFile ca{};
  std::string tls_server_name{};
  support::Secret proxy_url{};
  bool insecure_skip_tls_verify = false;
  /// JSON of extensions[name=client.authentication.k8s.io/exec].extension, or "".
  std::string exec_config{};
  /// "cluster 'x' of /home/ci/.kube/config", for messages; below likewise.
  std::string where{};
};

struct KubeUser {
  DataOrFile certificate{};
  support::Secret key_data{};
  std::filesystem::path key_file{};
  support::Secret token{};
  std::filesystem::path token_file{};
  std::optional<ExecPlugin> exec{};
  bool exec_wants_cluster = false;
  /// "Never", "IfAvailable", "Always", or "".
  std::string exec_interactive{};
  bool basic_auth = false;
  /// Name of the auth-provider, or "".
  std::string auth_provider{};
  std::string as{};
  std::string as_uid{};
  std::vector<std::string> as_groups{};
  std::vector<std::pair<std::string, std::string>> as_extra{};
  std::string where{};
};

struct KubeContext {
  std::string cluster{};
  std::string user{};
  std::string name_space{};
  std::string where{};
};

struct Kubeconfig {
  std::map<std::string, KubeCluster> clusters{};
  std::map<std::string, KubeUser> users{};
  std::map<std::string, KubeContext> contexts{};
  std::string current_context{};
};

/// Reads one file (YAML or JSON). Relative paths in it are relative to its folder.
/// Unknown keys are left out, as kubectl does. Throws OperatorError
/// "<path>:<line>:<column>: …"; a value that may be secret is never quoted.
Kubeconfig parse_kubeconfig(std::string_view text, const std::filesystem::path& path);

/// Adds what `more` has and `first` has not: of two entries of one name the first
/// file's counts, whole.
void merge_kubeconfig(Kubeconfig& first, Kubeconfig more);

/// What one context means.
struct KubeSelection {
  KubeCluster cluster{};
  KubeUser user{};
  std::string name_space{};
  /// "context 'ci' of /home/ci/.kube/config"
  std::string where{};
};

/// `context` empty: current-context. `files` names the configuration in messages.
/// Throws OperatorError: which name is missing, and which are there.
KubeSelection select_context(const Kubeconfig& config, const std::string& context,
                             const std::string& files);

}  // namespace berth::kubernetes
