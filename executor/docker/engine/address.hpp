#pragma once

#include "executor/net/http.hpp"

#include <functional>
#include <string>

namespace berth::docker {

/// Where an engine is and how to speak to it.
struct EngineAddress {
  /// As an operator writes it: "unix:///var/run/docker.sock",
  /// "tcp://engine.example.com:2376". Stands in every message.
  std::string host{};
  net::HttpOptions http{};

  /// The engine's socket is a path of this machine.
  bool is_unix() const noexcept { return !http.unix_socket.empty(); }
};

/// The settings' connection keys, under the built-in executor's names.
struct ConnectionSettings {
  std::string host{};
  std::string tls_cert_path{};
  bool tls_verify = false;
};

using GetEnv = std::function<std::string(const std::string& name)>;

/// `host` of the settings, with its TLS keys; else DOCKER_HOST with
/// DOCKER_CERT_PATH and DOCKER_TLS_VERIFY; else unix:///var/run/docker.sock.
/// TLS is spoken to a tcp address when a certificate folder is named (ca.pem,
/// cert.pem, key.pem) or verification is asked for, and to an https address
/// always. With a folder and without verification any server certificate will
/// do, as with `docker --tls`; without a folder the system's authorities decide.
/// Reads the certificate files.
/// Throws OperatorError: a scheme that is not unix, tcp, http or https, a bad
/// port, a missing or unreadable file.
EngineAddress resolve_address(const ConnectionSettings& settings, const GetEnv& getenv);

}  // namespace berth::docker
