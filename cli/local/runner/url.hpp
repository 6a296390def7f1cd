#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::local::runner {

/// The parts of a repository or server address, undecoded.
struct Url {
  std::string scheme{};
  /// "user:password", empty when the address has none.
  std::string user_info{};
  /// With the port.
  std::string host{};
  /// With the leading slash; may hold a query.
  std::string path{};

  std::string text() const;
  Url without_user() const;
  /// Scheme and host alone.
  Url base() const;
  bool is_http() const { return scheme == "http" || scheme == "https"; }
};

/// Nothing when the text has no `scheme://`.
std::optional<Url> parse_url(std::string_view text);

}  // namespace berth::local::runner
