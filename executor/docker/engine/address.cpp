#include "executor/docker/engine/address.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <charconv>

namespace berth::docker {
namespace {

constexpr const char* k_default_host = "unix:///var/run/docker.sock";
constexpr std::size_t k_max_pem = std::size_t{1} << 20;
/// sun_path holds 108 bytes with the ending zero.
constexpr std::size_t k_max_socket_path = 107;

[[noreturn]] void bad_host(const std::string& host, const std::string& why) {
  throw support::OperatorError("engine address: '" + host + "': " + why,
                               "docker.host (or DOCKER_HOST) is unix:///path/of/docker.sock, "
                               "tcp://host:port or https://host:port");
}

std::string read_pem(const std::string& folder, const char* name) {
  const std::string path = folder + "/" + name;
  try {
    return support::read_file(path, k_max_pem);
  } catch (const support::Error& error) {
    throw support::OperatorError(std::string("engine certificate: ") + error.what(),
                                 "docker.tls_cert_path (or DOCKER_CERT_PATH) names the folder with "
                                 "ca.pem, cert.pem and key.pem");
  }
}

void check_port(const std::string& host, std::string_view text) {
  int port = 0;
  const auto end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, port);
  if (result.ec != std::errc{} || result.ptr != end || port < 1 || port > 65535)
    bad_host(host, "its port is not a number from 1 to 65535");
}

/// "name:port", "[::1]:port" or "name"; a missing port becomes the default.
std::string authority_of(const std::string& host, std::string text,
                         const std::string& default_port) {
  if (text.ends_with('/')) text.pop_back();
  if (text.empty()) bad_host(host, "it names no host");
  if (text.find_first_of("/@?# ") != std::string::npos)
    bad_host(host, "only a host name and a port may stand in it");
  const std::size_t bracket = text.find(']');
  const std::size_t colon =
      text.find(':', text.front() == '[' && bracket != std::string::npos ? bracket : 0);
  if (colon == std::string::npos) return text + ":" + default_port;
  check_port(host, std::string_view(text).substr(colon + 1));
  return text;
}

}  // namespace

EngineAddress resolve_address(const ConnectionSettings& settings, const GetEnv& getenv) {
  ConnectionSettings from = settings;
  if (from.host.empty()) {
    from.host = getenv("DOCKER_HOST");
    if (from.tls_cert_path.empty()) {
      from.tls_cert_path = getenv("DOCKER_CERT_PATH");
      from.tls_verify = from.tls_verify || !getenv("DOCKER_TLS_VERIFY").empty();
    }
  }
  if (from.host.empty()) from.host = k_default_host;
  EngineAddress address{.host = from.host, .http = {}};
  const std::size_t separator = from.host.find("://");
  const std::string scheme = separator == std::string::npos ? "" : from.host.substr(0, separator);
  const std::string rest = separator == std::string::npos ? "" : from.host.substr(separator + 3);
  if (scheme == "unix") {
    if (!rest.starts_with('/')) bad_host(from.host, "a unix socket's path begins with '/'");
    if (rest.size() > k_max_socket_path)
      bad_host(from.host, "a unix socket's path has at most 107 bytes");
    address.http.base_url = "http://docker";
    address.http.unix_socket = rest;
    return address;
  }
  if (scheme != "tcp" && scheme != "http" && scheme != "https")
    bad_host(from.host, scheme.empty() ? "it has no scheme" : "'" + scheme + "' is not supported");
  const bool tls =
      scheme == "https" || (scheme == "tcp" && (!from.tls_cert_path.empty() || from.tls_verify));
  address.http.base_url =
      (tls ? "https://" : "http://") + authority_of(from.host, rest, tls ? "2376" : "2375");
  if (!tls) return address;
  address.http.tls.verify = from.tls_verify || from.tls_cert_path.empty();
  if (!from.tls_cert_path.empty()) {
    // As `docker --tls`: the authority only matters where the server is verified.
    if (from.tls_verify) address.http.tls.ca_pem = read_pem(from.tls_cert_path, "ca.pem");
    address.http.tls.certificate_pem = read_pem(from.tls_cert_path, "cert.pem");
    address.http.tls.key_pem = support::Secret(read_pem(from.tls_cert_path, "key.pem"));
  }
  return address;
}

}  // namespace berth::docker
