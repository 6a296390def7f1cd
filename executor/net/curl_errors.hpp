#pragma once

#include "executor/net/http.hpp"

#include <string_view>

/// Internal to executor/net.
namespace berth::net {

/// Names the failure behind a CURLcode, with what libcurl wrote to its error
/// buffer and the errno of a failed connect. Pure. The buffer matters: a TLS 1.3
/// server refuses a client's certificate after the handshake, so that it comes
/// as a receive error (56) with OpenSSL's words about an alert.
HttpError classify_curl_error(int code, std::string_view error_buffer, int system_error);

}  // namespace berth::net
