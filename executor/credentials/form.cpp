#include "executor/credentials/form.hpp"

#include "executor/credentials/words.hpp"

#include <algorithm>
#include <array>

namespace berth::credentials {
namespace {

bool is_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7f : c == '\t' || c == '\n' || c == '\r';
  });
}

bool is_json(std::string_view text) {
  if (!text.starts_with('{')) return false;
  text = trimmed(text.substr(1));
  return text.starts_with('"') || text.starts_with('}');
}

std::string_view take_word(std::string_view& rest) {
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  std::size_t end = 0;
  while (end < rest.size() && !is_blank(rest[end])) ++end;
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

bool is_netrc(std::string_view text) {
  while (text.starts_with('#')) {
    take_line(text);
    text = trimmed(text);
  }
  const std::string_view first = take_word(text);
  if (first == "machine") take_word(text);
  if (first != "machine" && first != "default") return false;
  const std::string_view next = take_word(text);
  return next == "login" || next == "password" || next == "account" || next == "macdef";
}

bool is_jwt(std::string_view text) {
  return text.starts_with("eyJ") && text.find('.') != std::string_view::npos &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.' || c == '=' || is_blank(c);
         });
}

/// "key = value", "key=value"
bool sets_key(std::string_view line, std::string_view key) {
  return line.starts_with(key) && trimmed(line.substr(key.size())).starts_with('=');
}

bool is_aws_line(std::string_view line) {
  return sets_key(line, "aws_access_key_id") || sets_key(line, "aws_secret_access_key") ||
         sets_key(line, "aws_session_token");
}

bool is_npmrc_line(std::string_view line) {
  constexpr std::array<std::string_view, 3> k_keys{"_authToken", "_auth", "_password"};
  if (line.starts_with("//")) {
    const std::size_t colon = line.find(":_");
    if (colon == std::string_view::npos) return false;
    line.remove_prefix(colon + 1);
  }
  return std::ranges::any_of(k_keys, [&](std::string_view key) { return sets_key(line, key); });
}

bool is_kubeconfig_line(std::string_view line) {
  constexpr std::array<std::string_view, 6> k_keys{
      "apiVersion:", "kind:", "clusters:", "contexts:", "users:", "current-context:"};
  return std::ranges::any_of(k_keys, [&](std::string_view key) { return line.starts_with(key); });
}

}  // namespace

Form form_of(std::string_view text) {
  if (!is_text(text)) return Form::unknown;
  text = trimmed(text);
  if (is_json(text)) return Form::json;
  if (is_jwt(text)) return Form::jwt;
  if (is_netrc(text)) return Form::netrc;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = take_line(rest);
    if (is_kubeconfig_line(line)) return Form::yaml;
    if (is_aws_line(trimmed(line))) return Form::aws;
    if (is_npmrc_line(trimmed(line))) return Form::npmrc;
    if (trimmed(line).starts_with("-----BEGIN ")) return Form::pem;
  }
  return Form::unknown;
}

}  // namespace berth::credentials
