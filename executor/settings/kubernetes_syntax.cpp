#include "executor/settings/kubernetes_syntax.hpp"

#include <algorithm>

namespace berth::settings {
namespace {

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_letter_or_digit(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

}  // namespace

bool is_dns_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
  if (text.size() > 253) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    // A part may be longer than a label there.
    if (part.empty() || part.front() == '-' || part.back() == '-' ||
        !std::all_of(part.begin(), part.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '-'; })) {
      return false;
    }
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_label_value(std::string_view text) {
  if (text.empty()) return true;
  return text.size() <= 63 && is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_label_key(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view name = slash == std::string_view::npos ? text : text.substr(slash + 1);
  if (name.empty() || !is_label_value(name)) return false;
  return slash == std::string_view::npos || is_dns_subdomain(text.substr(0, slash));
}

bool is_reserved_key(std::string_view key) {
  const std::string_view prefix = key.substr(0, key.find('/'));
  return prefix == "runner.gitlab.com" || prefix.ends_with(".runner.gitlab.com") ||
         key.starts_with("com.gitlab.gitlab-runner.") || key.starts_with("berth.");
}

bool is_taint_effect(std::string_view text) {
  return text.empty() || text == "NoSchedule" || text == "PreferNoSchedule" || text == "NoExecute";
}

}  // namespace berth::settings
