#include "executor/kubernetes/api/failures.hpp"

#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace berth::kubernetes {
namespace {

using nlohmann::json;
using support::Fault;
using support::one_line;

bool has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

std::string word(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::chrono::seconds bounded(std::int64_t seconds) {
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 3600));
}

/// The server's words end in a full stop only where they are a sentence; ours do not.
std::string without_stop(std::string text) {
  if (text.ends_with('.') && !text.ends_with("..")) text.pop_back();
  return text;
}

struct Verdict {
  Fault fault = Fault::infrastructure;
  std::string hint{};
};

Verdict judge(const Connection& connection, const ApiError& error) {
  if (error.unauthorized())
    return {Fault::operator_, fmt::format("the API server does not accept the credentials of {}: "
                                          "have they expired, or are they another cluster's?",
                                          connection.source)};
  if (error.is_quota())
    return {Fault::infrastructure,
            "the namespace's ResourceQuota is used up: wait for other jobs, raise it, or request "
            "less for this job"};
  if (error.namespace_terminating())
    return {Fault::operator_, "this namespace is being deleted: use another"};
  if (error.is_rbac())
    return {Fault::operator_,
            "a Role must give this right; runner-config/kubernetes has one with all that Berth "
            "needs, and `kubectl auth can-i --list` shows what there is"};
  if (error.is_admission())
    return {Fault::operator_,
            "a policy of the cluster refuses this object: change the settings (or the job) to what "
            "it allows, or the policy"};
  if (error.not_found() && has(error.server_text(), "namespaces \""))
    return {Fault::operator_, "this namespace must exist before jobs run in it"};
  if (error.invalid() || error.forbidden()) return {Fault::operator_, {}};
  if (error.code() == 429)
    return {Fault::infrastructure, "the API server is overloaded, or limits this user"};
  return {};
}

}  // namespace

bool ApiError::is_quota() const {
  return forbidden() && has(server_text(), "exceeded quota");
}

bool ApiError::is_rbac() const {
  return forbidden() && has(server_text(), "User \"") && has(server_text(), " cannot ");
}

bool ApiError::namespace_terminating() const {
  return forbidden() && (has(server_text(), "because it is being terminated") ||
                         std::ranges::any_of(m_status.causes, [](const ApiStatus::Cause& cause) {
                           return cause.reason == "NamespaceTerminating";
                         }));
}

bool ApiError::is_admission() const {
  if (forbidden()) return !is_quota() && !is_rbac() && !namespace_terminating();
  return invalid() &&
         (has(server_text(), "admission webhook") || has(server_text(), "denied the request") ||
          has(server_text(), "ValidatingAdmissionPolicy"));
}

ApiStatus read_status(int code, const json& body) {
  ApiStatus status{.code = code};
  if (!body.is_object()) {
    status.message = fmt::format("status {}", code);
    return status;
  }
  status.reason = word(body, "reason");
  status.message = without_stop(one_line(word(body, "message")));
  if (const auto number = body.find("code"); number != body.end() && number->is_number_integer()) {
    const auto value = number->get<std::int64_t>();
    if (code == 0 && value > 0 && value < 1000) status.code = static_cast<int>(value);
  }
  if (const auto details = body.find("details"); details != body.end() && details->is_object()) {
    if (const auto after = details->find("retryAfterSeconds");
        after != details->end() && after->is_number_integer())
      status.retry_after = bounded(after->get<std::int64_t>());
    if (const auto causes = details->find("causes"); causes != details->end() && causes->is_array())
      for (const json& cause : *causes) {
        if (!cause.is_object()) continue;
        status.causes.push_back({.reason = word(cause, "reason"),
                                 .message = one_line(word(cause, "message")),
                                 .field = word(cause, "field")});
      }
  }
  if (status.message.empty())
    status.message = status.reason.empty() ? fmt::format("status {}", status.code) : status.reason;
  return status;
}

ApiStatus read_status(const net::HttpResponse& response) {
  const json body = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  ApiStatus status;
  if (body.is_object() && word(body, "kind") == "Status") {
    status = read_status(response.status, body);
  } else {
    // A proxy or load balancer, or an API server without a Status: 401 in old versions.
    status.code = response.status;
    status.message = one_line(response.body, 300);
    status.message = status.message.empty()
                         ? fmt::format("status {}", response.status)
                         : fmt::format("status {}: {}", response.status, status.message);
  }
  const std::string_view after = response.header("Retry-After");
  std::int64_t seconds = 0;
  // The form with a date is not used by API servers.
  if (!after.empty() &&
      std::from_chars(after.data(), after.data() + after.size(), seconds).ec == std::errc())
    status.retry_after = bounded(seconds);
  return status;
}

ApiError refused(const Connection& connection, const std::string& call, ApiStatus status,
                 bool repeated) {
  const std::string message =
      fmt::format("kubernetes at {}: {}: {}", connection.host(), call, status.message);
  const ApiError plain(Fault::infrastructure, message, status, {}, repeated);
  Verdict verdict = judge(connection, plain);
  return {verdict.fault, message, std::move(status), std::move(verdict.hint), repeated};
}

ApiUnreachable unreachable(const Connection& connection, const std::string& call,
                           const net::HttpError& error, bool waited) {
  using net::HttpFailure;
  Fault fault = Fault::infrastructure;
  std::string text = one_line(error.what());
  std::string hint;
  switch (error.failure()) {
    case HttpFailure::cannot_connect:
      text = "cannot connect: " + text;
      hint = fmt::format("is {} (from {}) the API server's address, and reachable from here{}?",
                         connection.base_url, connection.source,
                         connection.proxy.empty() ? "" : " through the proxy that is set");
      break;
    case HttpFailure::cannot_resolve:
      hint = fmt::format("does this host name (from {}) exist?", connection.source);
      break;
    case HttpFailure::tls_untrusted:
      fault = Fault::operator_;
      text = "the API server's certificate is not trusted: " + text;
      hint = fmt::format(
          "{} must have the certificate authority of this cluster, and the name in "
          "the URL (or tls-server-name) must be in the certificate",
          connection.source);
      break;
    case HttpFailure::tls_rejected:
      fault = Fault::operator_;
      text = "the API server refuses our client certificate: " + text;
      hint = "has it expired, or is it another cluster's? See " + connection.source;
      break;
    case HttpFailure::tls_not_spoken:
      fault = Fault::operator_;
      text = "no TLS is spoken on this port: " + text;
      hint = "the API server's port is usually 6443 or 443: see " + connection.source;
      break;
    case HttpFailure::tls:
      fault = Fault::operator_;
      text = "TLS: " + text;
      hint = "are certificate and key of " + connection.source + " whole PEM files?";
      break;
    case HttpFailure::proxy:
      fault = Fault::operator_;
      text = "the proxy refuses: " + text;
      hint =
          "HTTPS_PROXY (or the kubeconfig's proxy-url) must name a proxy that lets us through; "
          "NO_PROXY takes the API server out";
      break;
    case HttpFailure::this_machine:
      fault = Fault::job;
      hint = fmt::format("{} must name the API server by an address that others reach",
                         connection.source);
      break;
    case HttpFailure::malformed:
      text = "the answer is not an API server's: " + text;
      hint = fmt::format("is {} (from {}) a Kubernetes API server?", connection.base_url,
                         connection.source);
      break;
    case HttpFailure::timeout:
      hint = "the API server accepts connections but does not answer: look at its load and log";
      break;
    case HttpFailure::reset:
      hint =
          "the connection was closed: was the API server restarted, or does something between "
          "here and there cut connections?";
      break;
  }
  return {fault,
          fmt::format("kubernetes at {}: {}: {}{}", connection.host(), call, text,
                      waited ? " (and so for as long as was tried)" : ""),
          hint};
}

}  // namespace berth::kubernetes
