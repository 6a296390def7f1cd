#include "executor/net/curl_errors.hpp"

#include <curl/curl.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace berth::net {
namespace {

bool has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

/// OpenSSL's words for alerts a server sends about *our* certificate
/// (RFC 8446, 6.2).
bool refuses_our_certificate(std::string_view text) {
  return has(text, "alert") &&
         (has(text, "certificate required") || has(text, "bad certificate") ||
          has(text, "unknown ca") || has(text, "certificate unknown") ||
          has(text, "certificate expired") || has(text, "certificate revoked") ||
          has(text, "handshake failure") || has(text, "access denied"));
}

/// "CONNECT tunnel failed, response 503": with 5xx the proxy cannot reach the
/// server now; all else is its last word. Nothing has been asked of the server.
HttpFailure refused_tunnel(std::string_view text) {
  return has(text, "response 5") ? HttpFailure::cannot_connect : HttpFailure::proxy;
}

HttpFailure failure_of(CURLcode code, std::string_view text) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return HttpFailure::cannot_resolve;
    case CURLE_COULDNT_CONNECT:
      return HttpFailure::cannot_connect;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpFailure::timeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return HttpFailure::tls_untrusted;
    case CURLE_SSL_CONNECT_ERROR:
      if (refuses_our_certificate(text)) return HttpFailure::tls_rejected;
      if (has(text, "wrong version number") || has(text, "unknown protocol") ||
          has(text, "packet length too long") || has(text, "http request"))
        return HttpFailure::tls_not_spoken;
      if (has(text, "SSL_ERROR_SYSCALL") || has(text, "Connection reset") ||
          has(text, "unexpected eof"))
        return HttpFailure::reset;
      return HttpFailure::tls;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_USE_SSL_FAILED:
      return HttpFailure::tls;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
      if (has(text, "CONNECT tunnel failed")) return refused_tunnel(text);
      return refuses_our_certificate(text) ? HttpFailure::tls_rejected : HttpFailure::reset;
    case CURLE_PROXY:
      return HttpFailure::proxy;
    default:
      return HttpFailure::malformed;
  }
}

}  // namespace

HttpError classify_curl_error(int code, std::string_view error_buffer, int system_error) {
  const auto curl_code = static_cast<CURLcode>(code);
  std::string text(error_buffer);
  if (text.empty()) text = curl_easy_strerror(curl_code);
  const HttpFailure failure = failure_of(curl_code, text);
  if (failure == HttpFailure::cannot_connect && system_error != 0) {
    // libcurl's own words name its internal host, not the socket.
    text = ::strerrordesc_np(system_error) != nullptr ? ::strerrordesc_np(system_error) : text;
  }
  return {failure, text, failure == HttpFailure::cannot_connect ? system_error : 0};
}

}  // namespace berth::net
