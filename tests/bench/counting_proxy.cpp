#include "tests/bench/counting_proxy.hpp"

#include "executor/kubernetes/api/client.hpp"
#include "executor/process/process.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/fd.hpp"
#include "tests/support/http_server/certificates.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>

namespace berth::bench {
namespace {

namespace fs = std::filesystem;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::uint16_t free_port() {
  const support::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), generic, size) != 0 || ::getsockname(socket.get(), generic, &size) != 0)
    throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

fs::path write(const fs::path& file, const std::string& text) {
  std::ofstream(file) << text;
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  return file;
}

/// Who the proxy is for the server.
std::string identity(const kubernetes::Proof& proof, const fs::path& folder) {
  const std::string bearer =
      proof.token.empty() ? std::string() : fmt::format("Bearer {}", proof.token.expose());
  std::string words = fmt::format("proxy_set_header Authorization \"{}\";\n", bearer);
  if (!proof.certificate_pem.empty()) {
    words +=
        fmt::format("proxy_ssl_certificate {};\nproxy_ssl_certificate_key {};\n",
                    write(folder / "client.crt", proof.certificate_pem).string(),
                    write(folder / "client.key", std::string(proof.key_pem.expose())).string());
  }
  return words;
}

/// A name of the server's certificate. nginx compares no addresses; every
/// cluster's certificate is for this name too, by which its pods know it.
std::string name_of(const kubernetes::Connection& server) {
  if (!server.tls.server_name.empty()) return server.tls.server_name;
  const std::string host = server.host().substr(0, server.host().rfind(':'));
  const bool is_address = host.find_first_not_of("0123456789.:[]") == std::string::npos;
  return is_address ? "kubernetes.default.svc" : host;
}

std::string configuration(const kubernetes::Connection& server, const fs::path& folder,
                          std::uint16_t port) {
  return fmt::format(R"(daemon off;
master_process off;
pid {0}/pid;
error_log {0}/errors;
events {{ worker_connections 4096; }}
http {{
log_format calls '$msec $request_time $connection $ssl_session_reused $request_method $request_uri';
access_log {0}/calls calls;
client_body_temp_path {0};
proxy_temp_path {0};
client_max_body_size 16m;
map $http_upgrade $connection_words {{ default upgrade; '' ''; }}
server {{
listen 127.0.0.1:{1} ssl;
ssl_certificate {0}/server.crt;
ssl_certificate_key {0}/server.key;
ssl_session_cache shared:sessions:1m;
keepalive_requests 100000;
location / {{
proxy_pass {2};
proxy_http_version 1.1;
proxy_buffering off;
proxy_request_buffering off;
proxy_read_timeout 1h;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $connection_words;
proxy_ssl_trusted_certificate {0}/server-ca.crt;
proxy_ssl_verify on;
proxy_ssl_name {3};
proxy_ssl_session_reuse on;
{4}}}
}}
}}
)",
                     folder.string(), port, server.base_url, name_of(server),
                     identity(server.credentials->current({}), folder));
}

std::string kubeconfig_for(std::uint16_t port, const std::string& ca_pem,
                           const std::string& name_space) {
  return fmt::format(R"(apiVersion: v1
kind: Config
current-context: counted
contexts:
- {{name: counted, context: {{cluster: counted, user: nobody, namespace: {2}}}}}
clusters:
- {{name: counted, cluster: {{server: "https://127.0.0.1:{0}", certificate-authority-data: {1}}}}}
users:
- {{name: nobody, user: {{}}}}
)",
                     port, support::base64_encode(ca_pem), name_space);
}

}  // namespace

CountingProxy::CountingProxy(const kubernetes::Connection& server, const fs::path& folder)
    : m_folder(folder), m_kubeconfig(folder / "kubeconfig") {
  fs::create_directories(folder);
  const tests::Authority authority("berth-bench");
  const tests::Certificate own = authority.server();
  write(folder / "server.crt", own.certificate_pem);
  write(folder / "server.key", own.key_pem);
  write(folder / "server-ca.crt", server.tls.ca_pem);
  const std::uint16_t port = free_port();
  write(m_kubeconfig, kubeconfig_for(port, authority.ca_pem(), server.default_namespace));
  const fs::path config = write(folder / "nginx.conf", configuration(server, folder, port));
  m_nginx = std::jthread([config](const std::stop_token& stop) {
    try {
      const auto processes = process::make_process_runner();
      const process::ProcessResult result = processes->run(
          {.argv = {"nginx", "-c", config.string()}, .timeout = std::chrono::hours{2}}, stop);
      fmt::print(stderr, "berth-bench: nginx ended: {}\n", result.errors);
    } catch (const std::exception& error) {  // Cancelled is how it ends
      if (!stop.stop_requested()) fmt::print(stderr, "berth-bench: nginx: {}\n", error.what());
    }
  });
  const kubernetes::ClientOptions options{.patience = std::chrono::seconds{10},
                                          .error_patience = std::chrono::seconds{0}};
  try {
    kubernetes::Client(kubernetes::load_connection({.kubeconfig = m_kubeconfig.string()}), options)
        .get_path("/version", {});
  } catch (const std::exception& error) {
    throw std::runtime_error(fmt::format("the API server is not reached through nginx: {}; see {}",
                                         error.what(), (folder / "errors").string()));
  }
  m_before = calls().size();
}

CountingProxy::~CountingProxy() = default;

std::vector<CountingProxy::Call> CountingProxy::calls() const {
  std::vector<Call> all;
  std::ifstream file(m_folder / "calls");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Call call;
    double took = 0;
    std::string reused;
    words >> call.began >> took >> call.connection >> reused >> call.method >> call.target;
    call.began -= took;
    call.resumed = reused == "r";
    if (!call.method.empty()) all.push_back(std::move(call));
  }
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(m_before, all.size())));
  return all;
}

}  // namespace berth::bench
