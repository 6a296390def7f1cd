#include "cli/local/pattern_masker.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <optional>
#include <utility>

namespace berth::local {
namespace {

/// https://docs.gitlab.com/security/tokens/#token-prefixes, as the runner has them.
constexpr std::array<std::string_view, 14> k_token_prefixes{
    "glpat-", "gloas-", "gldt-",    "glrt-",   "glcbt-",  "glrtr-",           "glptt-",
    "glft-",  "glimt-", "glagent-", "glsoat-", "glffct-", "_gitlab_session=", "gltok-"};
constexpr std::array<std::string_view, 6> k_parameters{
    "private_token=",   "authenticity_token=", "rss_token=",
    "x-amz-signature=", "x-amz-credential=",   "x-amz-security-token="};

/// Of the prefixes, and of what stands before a parameter.
constexpr std::string_view k_first_characters = "g_?&";

unsigned char byte(char c) {
  return static_cast<unsigned char>(c);
}

bool is_token_character(char c) {
  return std::isalnum(byte(c)) != 0 || std::string_view("-._=").find(c) != std::string_view::npos;
}

bool is_parameter_character(char c) {
  return c != '?' && c != '&' && std::isspace(byte(c)) == 0 && std::iscntrl(byte(c)) == 0;
}

bool same_letter(char a, char b) {
  return std::tolower(byte(a)) == std::tolower(byte(b));
}

enum class Match { none, begun, whole };

template <typename Equal>
Match match(std::string_view text, std::string_view prefix, Equal equal) {
  const auto length = std::min(text.size(), prefix.size());
  if (!std::equal(prefix.begin(), prefix.begin() + static_cast<std::ptrdiff_t>(length),
                  text.begin(), equal)) {
    return Match::none;
  }
  return length == prefix.size() ? Match::whole : Match::begun;
}

}  // namespace

void PatternMasker::feed(std::string_view bytes) {
  m_held.append(bytes);
  std::string_view rest = m_held;
  std::string clear;
  bool begun = false;
  while (!rest.empty() && !begun) {
    if (m_value != Value::none) {
      const bool inside = m_value == Value::of_token ? is_token_character(rest.front())
                                                     : is_parameter_character(rest.front());
      if (inside) {
        if (!std::exchange(m_told, true)) clear += "[MASKED]";
        rest.remove_prefix(1);
        continue;
      }
      m_value = Value::none;
    }
    const auto next = std::min(rest.find_first_of(k_first_characters), rest.size());
    clear.append(rest.substr(0, next));
    rest.remove_prefix(next);
    if (rest.empty()) break;
    std::size_t found = 0;
    const auto look = [&](Match how, std::size_t length, Value value) {
      if (how == Match::begun) begun = true;
      if (how != Match::whole) return;
      found = length;
      m_value = value;
    };
    for (const std::string_view prefix : k_token_prefixes) {
      look(match(rest, prefix, std::equal_to<>()), prefix.size(), Value::of_token);
    }
    if (rest.front() == '?' || rest.front() == '&') {
      for (const std::string_view name : k_parameters) {
        look(match(rest.substr(1), name, same_letter), name.size() + 1, Value::of_parameter);
      }
    }
    if (found > 0) {
      begun = false;
      m_told = false;
    } else if (!begun) {
      found = 1;
    }
    clear.append(rest.substr(0, found));
    rest.remove_prefix(found);
  }
  m_held.erase(0, m_held.size() - rest.size());
  if (!clear.empty()) m_sink(clear);
}

void PatternMasker::flush() {
  const std::string held = std::exchange(m_held, {});
  m_value = Value::none;
  if (!held.empty()) m_sink(held);
}

}  // namespace berth::local
