#include "executor/credentials/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::credentials {

std::string shown(std::string_view name) {
  constexpr std::size_t k_limit = 120;
  std::string result(name.substr(0, k_limit));
  for (char& c : result)
    if (c < ' ' || c > '~') c = '?';
  if (name.size() > k_limit) result += "...";
  return result;
}

std::string shown_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t at = url.substr(host, url.find('/', host) - host).rfind('@');
  if (at == std::string_view::npos) return shown(url);
  return shown(std::string(url.substr(0, host)) + std::string(url.substr(host + at + 1)));
}

std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ' ');
  return digits;
}

std::string shown_date(std::chrono::sys_seconds time) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

std::vector<std::string> first_few(std::vector<std::string> parts) {
  constexpr std::size_t k_few = 8;
  if (parts.size() <= k_few) return parts;
  const std::size_t more = parts.size() - k_few;
  parts.resize(k_few);
  parts.push_back(fmt::format("{} more", more));
  return parts;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace berth::credentials
