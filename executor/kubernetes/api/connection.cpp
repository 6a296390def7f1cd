#include "executor/kubernetes/api/connection.hpp"

#include "executor/kubernetes/api/kubeconfig.hpp"
#include "executor/kubernetes/api/proxy.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <optional>

namespace berth::kubernetes {
namespace {

using support::OperatorError;

constexpr std::size_t k_max_file = std::size_t{16} << 20;
constexpr const char* k_default_account = "/var/run/secrets/kubernetes.io/serviceaccount";

std::string read_for(const std::filesystem::path& file, const std::string& what,
                     const std::string& where) {
  try {
    return support::read_file(file, k_max_file);
  } catch (const support::Error& error) {
    throw OperatorError(fmt::format("{}: {}: {}", where, what, error.what()),
                        "the file must be readable by the user this program runs as");
  }
}

/// "https://host:port/prefix/" in its parts.
void set_server(Connection& connection, const std::string& server, const std::string& where) {
  std::string url = server;
  // As kubectl: a bare host is plain http; nobody's API server is.
  if (url.find("://") == std::string::npos) url = "https://" + url;
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    throw OperatorError(fmt::format("{}: server '{}': no http or https URL", where, server));
  const std::size_t start = url.find("//") + 2;
  const std::size_t slash = std::min(url.find_first_of("/?#", start), url.size());
  if (slash == start) throw OperatorError(fmt::format("{}: server '{}': no host", where, server));
  if (url.find('@', start) < slash || url.find_first_of("?#", start) != std::string::npos)
    throw OperatorError(where + ": the server's URL must be host, port and path alone");
  connection.base_url = url.substr(0, slash);
  connection.path_prefix = url.substr(slash);
  while (connection.path_prefix.ends_with('/')) connection.path_prefix.pop_back();
}

/// Relative to nothing: settings and environments give absolute paths.
Connection from_host(const ConnectionChoice& choice, const settings::GetEnv& getenv) {
  Connection connection;
  connection.source = "kubernetes.host of the settings";
  set_server(connection, choice.host, connection.source);
  if (choice.cert_file.empty() != choice.key_file.empty())
    throw OperatorError("kubernetes.cert_file and kubernetes.key_file belong together",
                        "give both, or neither");
  if (!choice.ca_file.empty())
    connection.tls.ca_pem = read_for(choice.ca_file, "kubernetes.ca_file", connection.source);
  Proof proof{.token = choice.bearer_token, .certificate_pem = {}, .key_pem = {}};
  if (!choice.cert_file.empty()) {
    proof.certificate_pem = read_for(choice.cert_file, "kubernetes.cert_file", connection.source);
    proof.key_pem =
        support::Secret(read_for(choice.key_file, "kubernetes.key_file", connection.source));
  }
  connection.credentials = make_fixed_credentials(std::move(proof));
  connection.proxy = proxy_for(connection.base_url, getenv);
  return connection;
}

/// https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
std::optional<Connection> from_service_account(const settings::GetEnv& getenv) {
  const std::string host = getenv("KUBERNETES_SERVICE_HOST").value_or("");
  const std::string port = getenv("KUBERNETES_SERVICE_PORT").value_or("");
  const std::filesystem::path folder =
      getenv("BERTH_SERVICE_ACCOUNT_DIR").value_or(k_default_account);
  std::error_code ignored;
  if (host.empty() || port.empty() || !std::filesystem::exists(folder / "token", ignored))
    return std::nullopt;
  Connection connection;
  connection.source = "the service account of this pod";
  const bool v6 = host.find(':') != std::string::npos;
  set_server(connection, fmt::format("https://{}:{}", v6 ? "[" + host + "]" : host, port),
             connection.source);
  connection.tls.ca_pem =
      read_for(folder / "ca.crt", "the cluster's certificate authority", connection.source);
  if (auto name = support::read_file_if_exists(folder / "namespace", k_max_file);
      name && !name->empty())
    connection.default_namespace = name->substr(0, name->find_last_not_of(" \r\n") + 1);
  connection.credentials = make_token_file(folder / "token", {});
  connection.proxy = proxy_for(connection.base_url, getenv);
  return connection;
}

void refuse_what_is_gone(const KubeUser& user) {
  if (user.basic_auth && user.token.empty() && user.token_file.empty() && !user.exec &&
      user.certificate.empty()) {
    throw OperatorError(
        user.where + ": username and password: no API server takes these since Kubernetes 1.19",
        "give the user a client certificate, a token, or an exec plugin");
  }
  if (!user.auth_provider.empty() && !user.exec && user.token.empty()) {
    throw OperatorError(
        fmt::format("{}: auth-provider '{}': removed from Kubernetes' clients with 1.26",
                    user.where, user.auth_provider),
        "your cloud's tool writes an exec section instead, such as `gcloud container clusters "
        "get-credentials` with gke-gcloud-auth-plugin, or kubelogin");
  }
  if (!user.exec) return;
  const std::string& version = user.exec->api_version;
  if (version != "client.authentication.k8s.io/v1" &&
      version != "client.authentication.k8s.io/v1beta1") {
    throw OperatorError(fmt::format("{}: exec: apiVersion '{}' is not known", user.where, version),
                        "client.authentication.k8s.io/v1 and v1beta1 are; newer versions of most "
                        "credential programs speak them");
  }
  if (user.exec_interactive == "Always")
    throw OperatorError(user.where + ": exec: interactiveMode is Always, and no job has a terminal",
                        "use a credential that needs no person: a service account's token");
}

std::string cluster_info(const KubeCluster& cluster, const std::string& ca_pem) {
  nlohmann::json info = {{"server", cluster.server}};
  if (!cluster.tls_server_name.empty()) info["tls-server-name"] = cluster.tls_server_name;
  if (cluster.insecure_skip_tls_verify) info["insecure-skip-tls-verify"] = true;
  if (!ca_pem.empty()) info["certificate-authority-data"] = support::base64_encode(ca_pem);
  if (!cluster.proxy_url.empty()) info["proxy-url"] = std::string(cluster.proxy_url.expose());
  if (!cluster.exec_config.empty())
    info["config"] = nlohmann::json::parse(cluster.exec_config, nullptr, false);
  return info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::shared_ptr<CredentialSource> credentials_of(const KubeSelection& selection,
                                                 const std::string& ca_pem) {
  const KubeUser& user = selection.user;
  refuse_what_is_gone(user);
  Proof proof{.token = user.token, .certificate_pem = user.certificate.data, .key_pem = {}};
  if (proof.certificate_pem.empty() && !user.certificate.file.empty())
    proof.certificate_pem = read_for(user.certificate.file, "client-certificate", user.where);
  proof.key_pem = user.key_data;
  if (proof.key_pem.empty() && !user.key_file.empty())
    proof.key_pem = support::Secret(read_for(user.key_file, "client-key", user.where));
  if (proof.certificate_pem.empty() != proof.key_pem.empty())
    throw OperatorError(user.where + ": client-certificate and client-key belong together");
  if (!user.token_file.empty()) return make_token_file(user.token_file, std::move(proof));
  if (!user.exec || !user.token.empty()) return make_fixed_credentials(std::move(proof));
  ExecPlugin plugin = *user.exec;
  plugin.where = user.where;
  if (user.exec_wants_cluster) plugin.cluster_json = cluster_info(selection.cluster, ca_pem);
  return make_exec_credentials(std::move(plugin), process::make_process_runner());
}

std::vector<net::Header> impersonation(const KubeUser& user) {
  std::vector<net::Header> headers;
  if (!user.as.empty()) headers.push_back({"Impersonate-User", user.as});
  if (!user.as_uid.empty()) headers.push_back({"Impersonate-Uid", user.as_uid});
  for (const std::string& group : user.as_groups) headers.push_back({"Impersonate-Group", group});
  for (const auto& [key, value] : user.as_extra)
    headers.push_back({"Impersonate-Extra-" + net::percent_encode(key), value});
  return headers;
}

std::vector<std::filesystem::path> kubeconfig_files(const std::string& list) {
  std::vector<std::filesystem::path> files;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t colon = std::min(list.find(':', at), list.size());
    if (colon > at) files.emplace_back(list.substr(at, colon - at));
    at = colon + 1;
  }
  return files;
}

std::string joined(const std::vector<std::filesystem::path>& files) {
  std::string text;
  for (const auto& file : files) text += (text.empty() ? "" : ":") + file.string();
  return text;
}

/// A missing file of several is left out, as kubectl does; all missing is an error.
Connection from_kubeconfig(const std::string& list, const std::string& context,
                           const settings::GetEnv& getenv) {
  const std::vector<std::filesystem::path> files = kubeconfig_files(list);
  Kubeconfig config;
  bool found = false;
  for (const std::filesystem::path& file : files) {
    std::optional<std::string> text;
    try {
      text = support::read_file_if_exists(file, k_max_file);
    } catch (const support::Error& error) {
      throw OperatorError(std::string("kubeconfig: ") + error.what(),
                          "it must be readable by the user this program runs as");
    }
    if (!text) continue;
    found = true;
    merge_kubeconfig(config, parse_kubeconfig(*text, std::filesystem::absolute(file)));
  }
  if (!found)
    throw OperatorError(fmt::format("kubeconfig '{}': no such file", joined(files)),
                        "name one in the settings or in $KUBECONFIG, or set kubernetes.host");
  return connection_from(select_context(config, context, "kubeconfig '" + joined(files) + "'"),
                         getenv);
}

}  // namespace

Connection connection_from(const KubeSelection& selection, const settings::GetEnv& getenv) {
  const KubeCluster& cluster = selection.cluster;
  Connection connection;
  connection.source = selection.where;
  if (cluster.server.empty())
    throw OperatorError(cluster.where + ": no server",
                        "the cluster entry needs `server: https://…`");
  set_server(connection, cluster.server, cluster.where);
  if (!selection.name_space.empty()) connection.default_namespace = selection.name_space;
  connection.tls.server_name = cluster.tls_server_name;
  if (cluster.insecure_skip_tls_verify) {
    if (!cluster.ca.empty())
      throw OperatorError(
          cluster.where +
              ": insecure-skip-tls-verify and a certificate authority exclude each other",
          "take insecure-skip-tls-verify out");
    connection.tls.verify = false;
    connection.warnings.push_back(
        cluster.where +
        ": insecure-skip-tls-verify: whoever is between here and the API server can read and "
        "change everything, job secrets included; give it certificate-authority-data instead");
  } else {
    connection.tls.ca_pem = !cluster.ca.data.empty() || cluster.ca.file.empty()
                                ? cluster.ca.data
                                : read_for(cluster.ca.file, "certificate-authority", cluster.where);
  }
  connection.credentials = credentials_of(selection, connection.tls.ca_pem);
  connection.headers = impersonation(selection.user);
  connection.proxy =
      cluster.proxy_url.empty() ? proxy_for(connection.base_url, getenv) : cluster.proxy_url;
  return connection;
}

std::string Connection::host() const {
  const std::size_t start = base_url.find("//");
  return base_url.substr(start == std::string::npos ? 0 : start + 2);
}

Connection load_connection(const ConnectionChoice& choice, const settings::GetEnv& getenv) {
  if (!choice.host.empty()) return from_host(choice, getenv);
  if (!choice.kubeconfig.empty()) return from_kubeconfig(choice.kubeconfig, choice.context, getenv);
  if (choice.context.empty()) {
    if (std::optional<Connection> inside = from_service_account(getenv)) return std::move(*inside);
  }
  if (const auto list = getenv("KUBECONFIG"); list && !list->empty())
    return from_kubeconfig(*list, choice.context, getenv);
  const std::string home = getenv("HOME").value_or("");
  const std::filesystem::path file = std::filesystem::path(home) / ".kube" / "config";
  std::error_code ignored;
  if (home.empty() || !std::filesystem::exists(file, ignored)) {
    throw OperatorError(
        fmt::format("no way to a cluster is configured: no kubernetes.host in the settings, not in "
                    "a pod, no $KUBECONFIG, no '{}'",
                    file.string()),
        "set kubernetes.host, or give the runner's user a kubeconfig");
  }
  return from_kubeconfig(file.string(), choice.context, getenv);
}

Connection load_connection(const ConnectionChoice& choice) {
  return load_connection(choice, [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  });
}

}  // namespace berth::kubernetes
