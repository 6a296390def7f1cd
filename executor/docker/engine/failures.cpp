#include "executor/docker/engine/failures.hpp"

#include "executor/support/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <unistd.h>

namespace berth::docker {
namespace {

using support::Fault;
using support::one_line;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> phrases) {
  return std::ranges::any_of(phrases, [&](std::string_view phrase) {
    return text.find(phrase) != std::string_view::npos;
  });
}

std::string string_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Podman answers many a 404 and 409 with 500 and says what it meant in `cause`
/// (libpod's errors, define/errors.go).
int meant_by(std::string_view cause) {
  if (has_any(cause, {"no such container", "no such volume", "no such image", "network not found",
                      "no such exec session", "container has already been removed"}))
    return 404;
  if (has_any(cause, {"already exists", "already in use", "container state improper",
                      "network is being used", "volume is being used", "exec session state"}))
    return 409;
  return 500;
}

constexpr std::string_view k_tls_hint =
    "the certificates are ca.pem, cert.pem and key.pem in docker.tls_cert_path (or "
    "DOCKER_CERT_PATH)";

std::string connect_hint(const EngineAddress& address, int system_error) {
  if (system_error == EACCES || system_error == EPERM) {
    return "user id " + std::to_string(::geteuid()) +
           " may not use this socket: add the runner's user to the socket's group (usually "
           "'docker'), or set docker.host";
  }
  if (address.is_unix())
    return "is the engine running, and is this its socket (docker.host in the settings, "
           "DOCKER_HOST)?";
  return "is the engine running and listening at this address (docker.host in the settings, "
         "DOCKER_HOST)?";
}

}  // namespace

Complaint read_complaint(int status, std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  Complaint complaint{.status = status, .text = {}};
  if (json.is_object()) {
    complaint.text = one_line(string_of(json, "message"), k_longest_words);
    if (status == 500) complaint.status = meant_by(string_of(json, "cause"));
  }
  if (complaint.text.empty()) complaint.text = one_line(body, k_longest_words);
  if (complaint.text.empty()) complaint.text = "status " + std::to_string(status);
  return complaint;
}

EngineError refused(const EngineAddress& address, const std::string& call,
                    const Complaint& complaint, bool repeated) {
  Fault fault = Fault::infrastructure;
  std::string hint;
  if (complaint.status == 401 || complaint.status == 403) {
    fault = Fault::operator_;
    hint =
        "something in front of the engine, or one of its authorisation plugins, forbids this call";
  } else if (complaint.status == 400) {
    fault = Fault::operator_;
  }
  if (has_any(complaint.text, {"client version"}) &&
      has_any(complaint.text, {"is too old", "is too new"})) {
    hint = "this engine speaks other versions of its API than this version of Berth";
  } else if (has_any(complaint.text, {"an HTTP request to an HTTPS server"})) {
    hint = "the engine wants TLS here: " + std::string(k_tls_hint);
  }
  return {fault,
          complaint.status,
          "docker engine at " + address.host + ": " + call + ": " + complaint.text,
          complaint.text,
          std::move(hint),
          repeated};
}

EngineUnreachable unreachable(const EngineAddress& address, const std::string& call,
                              const net::HttpError& error, bool known) {
  using net::HttpFailure;
  Fault fault = known ? Fault::infrastructure : Fault::operator_;
  std::string text = one_line(error.what(), k_longest_words);
  std::string hint;
  switch (error.failure()) {
    case HttpFailure::cannot_connect:
      text = "cannot connect: " + text;
      hint = connect_hint(address, error.system_error());
      break;
    case HttpFailure::cannot_resolve:
      hint = "does the host name in docker.host (or DOCKER_HOST) exist?";
      break;
    case HttpFailure::tls_untrusted:
      text = "the engine's certificate is not trusted: " + text;
      hint = "it must be issued by the authority in ca.pem, for the host name in docker.host; " +
             std::string(k_tls_hint);
      break;
    case HttpFailure::tls_rejected:
      text = "the engine refuses our client certificate: " + text;
      hint =
          "cert.pem must be issued by the authority the engine was given (dockerd --tlscacert); " +
          std::string(k_tls_hint);
      break;
    case HttpFailure::tls_not_spoken:
      text = "the engine does not speak TLS on this port: " + text;
      hint =
          "leave docker.tls_cert_path and docker.tls_verify (or DOCKER_TLS_VERIFY and "
          "DOCKER_CERT_PATH) away, or name the engine's TLS port";
      break;
    case HttpFailure::tls:
      text = "TLS: " + text;
      hint = std::string(k_tls_hint);
      break;
    case HttpFailure::timeout:
      fault = Fault::infrastructure;
      hint = "the engine accepts connections but does not answer: look at its log and load";
      break;
    case HttpFailure::reset:
      fault = Fault::infrastructure;
      hint = "the engine closed the connection: was it restarted? Look at its log";
      break;
    case HttpFailure::proxy:
      text = "the proxy refuses: " + text;
      break;
    case HttpFailure::this_machine:
      break;
    case HttpFailure::malformed:
      text = "the answer is not an engine's: " + text;
      hint = "does a Docker engine listen at this address?";
      break;
  }
  return {fault, "docker engine at " + address.host + ": " + call + ": " + text, hint};
}

PullVerdict classify_pull_failure(int status, std::string_view message) {
  const std::string text = lower(message);
  if (has_any(text, {"x509", "http response to https client", "server gave http response"})) {
    return {PullFailure::other, Fault::operator_,
            "the engine does not trust this registry: give it the registry's CA "
            "(/etc/docker/certs.d/<registry>/ca.crt) or list it under insecure-registries"};
  }
  if (has_any(text, {"toomanyrequests", "too many requests", "rate limit"})) {
    return {PullFailure::network, Fault::infrastructure,
            "the registry limits how often one may pull: log in, use a mirror "
            "(registry-mirrors), or set pull_policy to if-not-present"};
  }
  if (has_any(text, {"no such host"})) {
    return {PullFailure::no_host, Fault::infrastructure,
            "check the registry's name; the engine's name servers count, not the runner's"};
  }
  if (has_any(text, {"dial tcp",
                     "connection refused",
                     "i/o timeout",
                     "tls handshake",
                     "read tcp",
                     "write tcp",
                     "client.timeout exceeded",
                     "request canceled",
                     "connection reset",
                     "unexpected eof",
                     ": eof",
                     "no route to host",
                     "network is unreachable",
                     "server misbehaving",
                     "temporary failure in name resolution",
                     "unexpected http status: 5",
                     "unexpected status code 5",
                     "context deadline exceeded",
                     "bad gateway",
                     "service unavailable"})) {
    return {PullFailure::network, Fault::infrastructure,
            "the engine cannot reach the registry: its network, DNS and proxy settings count, not "
            "the runner's"};
  }
  if (has_any(text, {"pull access denied", "access to the resource is denied",
                     "no basic auth credentials", "may require", "unauthorized",
                     "authentication required", "access forbidden", "denied:"}) ||
      status == 401 || status == 403) {
    return {PullFailure::denied, Fault::job, {}};
  }
  if (has_any(text, {"not found", "manifest unknown", "no matching manifest", "name unknown",
                     "no such image", "invalid reference format", "does not exist", "name invalid",
                     "invalid repository name"}) ||
      status == 404 || status == 400) {
    return {PullFailure::missing, Fault::job, "check the image's name and tag"};
  }
  return {PullFailure::other, Fault::infrastructure, {}};
}

}  // namespace berth::docker
