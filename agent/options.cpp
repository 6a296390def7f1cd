#include "agent/options.hpp"

#include <charconv>

namespace berth::agent {
namespace {

[[noreturn]] void refuse(std::string_view key, const char* why) {
  throw OptionsError(std::string(k_options_variable) + ": " + std::string(key) + ": " + why);
}

std::int64_t parse_number(std::string_view key, std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.begin(), value.end(), number);
  // Nothing is counted in more than a few thousand million; so no sum overflows.
  if (error != std::errc() || end != value.end() || number < 0 || number > (INT64_C(1) << 40)) {
    refuse(key, "a whole number is expected");
  }
  return number;
}

std::string parse_path(std::string_view key, std::string_view value) {
  if (value.empty() || value[0] != '/') refuse(key, "an absolute path is expected");
  return std::string(value);
}

std::chrono::milliseconds parse_duration(std::string_view key, std::string_view value) {
  if (value.ends_with("ms")) {
    return std::chrono::milliseconds(parse_number(key, value.substr(0, value.size() - 2)));
  }
  return std::chrono::seconds(parse_number(key, value));
}

std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

}  // namespace

Options parse_options(std::string_view text) {
  Options options;
  while (!text.empty()) {
    std::string_view value = cut(text, ';');
    if (value.empty()) continue;
    const std::string_view key = cut(value, '=');
    if (key == "run") {
      options.run = parse_path(key, value);
    } else if (key == "lease") {
      options.lease = parse_path(key, value);
    } else if (key == "deadline") {
      options.deadline = parse_number(key, value);
    } else if (key == "orphan") {
      options.orphan = parse_duration(key, value);
    } else if (key == "tick") {
      options.tick = std::chrono::milliseconds(parse_number(key, value));
      if (options.tick.count() == 0) refuse(key, "must not be 0");
    } else if (key == "overfill") {
      options.overfill = parse_number(key, value);
    } else if (key == "open") {
      while (!value.empty()) options.open.push_back(parse_path(key, cut(value, ':')));
    } else {
      refuse(key, "unknown key");
    }
  }
  return options;
}

}  // namespace berth::agent
