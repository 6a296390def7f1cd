#include "cli/local/dotenv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace berth::local {
namespace {

std::string_view stripped(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool is_key(std::string_view key) {
  return !key.empty() &&
         std::ranges::all_of(key, [](unsigned char c) { return c == '_' || std::isalnum(c) != 0; });
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_dotenv(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> result;
  for (int number = 1; !text.empty(); ++number) {
    const auto newline = std::min(text.find('\n'), text.size());
    const std::string_view line = stripped(text.substr(0, newline));
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const auto equals = line.find('=');
    const std::string_view key = stripped(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_key(key)) {
      throw std::runtime_error(fmt::format("line {} is not KEY=value", number));
    }
    std::string_view value = stripped(line.substr(equals + 1));
    for (const char quote : {'"', '\''}) {
      if (value.size() >= 2 && value.front() == quote && value.back() == quote) {
        value = value.substr(1, value.size() - 2);
        break;
      }
    }
    result.emplace_back(key, value);
  }
  return result;
}

}  // namespace berth::local
