#pragma once

#include "executor/kubernetes/api/credentials.hpp"
#include "executor/net/http.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/secret.hpp"

#include <memory>
#include <string>
#include <vector>

namespace berth::kubernetes {

/// The settings' words about how to reach the cluster; all may be empty.
struct ConnectionChoice {
  /// URL of the API server. With it the four below count, and nothing else does.
  std::string host{};
  std::string cert_file{};
  std::string key_file{};
  std::string ca_file{};
  support::Secret bearer_token{};
  /// A file, or several separated by ':'. Wins over $KUBECONFIG.
  std::string kubeconfig{};
  /// Context of the kubeconfig; "" is its current-context.
  std::string context{};
};

/// Everything needed to speak with one API server as one user.
struct Connection {
  /// "https://10.0.0.1:6443", without path and trailing slash.
  std::string base_url{};
  /// What stands before /api in every path: "" or "/k8s/clusters/c-1".
  std::string path_prefix{};
  /// The context's, the pod's own, or "default".
  std::string default_namespace = "default";
  net::TlsOptions tls{};
  /// "" or the URL of a proxy; may hold a password.
  support::Secret proxy{};
  std::shared_ptr<CredentialSource> credentials{};
  /// Never to this machine itself: net::HttpOptions::elsewhere.
  bool elsewhere = false;
  /// Impersonation.
  std::vector<net::Header> headers{};
  /// Where all this came from: "context 'ci' of /home/ci/.kube/config".
  std::string source{};
  /// What the operator should know: TLS without verification.
  std::vector<std::string> warnings{};

  /// "10.0.0.1:6443", for messages.
  std::string host() const;
};

struct KubeSelection;

/// What a context of a kubeconfig means. Reads the files it names, starts nothing.
/// Throws OperatorError.
Connection connection_from(const KubeSelection& selection, const settings::GetEnv& getenv);

/// Settings' host, else the settings' kubeconfig or context, else the service
/// account of the pod this runs in, else $KUBECONFIG, else ~/.kube/config.
/// HTTPS_PROXY, HTTP_PROXY and NO_PROXY count, the kubeconfig's proxy-url before
/// them. BERTH_SERVICE_ACCOUNT_DIR is the service account's folder where it is not
/// the usual one. Reads files, starts nothing and connects to nothing.
/// Throws OperatorError: which file, context, cluster or user, and what to do.
Connection load_connection(const ConnectionChoice& choice, const settings::GetEnv& getenv);
/// With this process's environment.
Connection load_connection(const ConnectionChoice& choice);

}  // namespace berth::kubernetes
