#pragma once

#include "executor/kubernetes/api/client.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace berth::kubernetes {

/// What GET /version tells, and its Date header.
struct ServerVersion {
  /// "v1.36.3"
  std::string git_version{};
  /// The server's clock, in whole seconds since the epoch; nothing without the header.
  std::optional<std::int64_t> date{};
};

/// Throws as Client's methods do.
ServerVersion server_version(Client& client, std::stop_token stop);

/// An HTTP date ("Sat, 21 Nov 2026 04:24:00 GMT", RFC 9110, 5.6.7: the preferred
/// form) as seconds since the epoch. Pure.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace berth::kubernetes
