#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Texts of diagnoses. What they show is names and numbers, never content.
namespace berth::credentials {

/// A name as a message may show it: what is not printable ASCII becomes '?', a long
/// one is cut to 120 characters.
std::string shown(std::string_view name);

/// As shown(), without what stands before '@' in a URL's host, without its query.
std::string shown_url(std::string_view url);

/// 2312 -> "2 312"
std::string grouped(std::size_t number);

/// "2026-11-21"
std::string shown_date(std::chrono::sys_seconds time);

/// "a; b; c"
std::string joined(const std::vector<std::string>& parts, std::string_view between = "; ");

/// The first eight of them, and how many more there are.
std::vector<std::string> first_few(std::vector<std::string> parts);

constexpr bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Without blanks at either end.
std::string_view trimmed(std::string_view text);

/// Takes the first line off `rest`, without its line end (LF or CRLF).
std::string_view take_line(std::string_view& rest);

}  // namespace berth::credentials
