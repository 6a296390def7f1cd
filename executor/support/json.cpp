#include "executor/support/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::support {

nlohmann::json parse_json(std::string_view text, std::string_view what) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    // Only the position: the library's own words quote what it read.
    const std::size_t at = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
    const std::string_view before = text.substr(0, at);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    throw SystemError(
        fmt::format("not valid JSON: '{}': line {}, column {}: {}", what, line, at - line_start + 1,
                    at >= text.size() ? "it ends too early" : "unexpected character"));
  } catch (const nlohmann::json::out_of_range&) {
    // 1e999: no parse_error, and its words quote the text.
    throw SystemError(fmt::format("not valid JSON: '{}': a number is out of range", what));
  }
}

SystemError json_error(const std::exception& error, std::string_view what) {
  std::string_view words = error.what();
  // "[json.exception.type_error.302] (/a/b) type must be string, but is number"
  if (const std::size_t end = words.find("] "); words.starts_with('[') && end != words.npos) {
    words.remove_prefix(end + 2);
  }
  return SystemError(fmt::format("unexpected JSON: '{}': {}", what, words));
}

}  // namespace berth::support
