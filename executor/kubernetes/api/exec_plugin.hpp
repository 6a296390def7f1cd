#pragma once

#include "executor/kubernetes/api/credentials.hpp"

#include <chrono>
#include <optional>
#include <string_view>

/// Internal to executor/kubernetes/api: what an exec plugin prints. Pure.
namespace berth::kubernetes {

struct ExecCredential {
  Proof proof{};
  /// Nothing: it never ends.
  std::optional<std::chrono::system_clock::time_point> expires{};
};

/// An ExecCredential of client.authentication.k8s.io/v1 or v1beta1. Throws
/// OperatorError that never quotes the text; `where` begins the message.
ExecCredential parse_exec_credential(std::string_view text, std::string_view api_version,
                                     std::string_view where);

/// RFC 3339: "2026-11-21T08:00:00Z", "...00.123+01:00". Nothing where it is not.
std::optional<std::chrono::system_clock::time_point> parse_time(const std::string& text);

}  // namespace berth::kubernetes
