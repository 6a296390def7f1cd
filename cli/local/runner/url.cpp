#include "cli/local/runner/url.hpp"

namespace berth::local::runner {

std::string Url::text() const {
  return scheme + "://" + (user_info.empty() ? "" : user_info + "@") + host + path;
}

Url Url::without_user() const {
  return {.scheme = scheme, .user_info = {}, .host = host, .path = path};
}

Url Url::base() const {
  return {.scheme = scheme, .user_info = {}, .host = host, .path = {}};
}

std::optional<Url> parse_url(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) return std::nullopt;
  Url url;
  url.scheme = text.substr(0, scheme_end);
  text.remove_prefix(scheme_end + 3);
  const auto slash = text.find_first_of("/?#");
  std::string_view authority = text.substr(0, slash);
  if (slash != std::string_view::npos) url.path = text.substr(slash);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    url.user_info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  url.host = authority;
  return url;
}

}  // namespace berth::local::runner
