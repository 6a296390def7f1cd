#include "executor/core/expand.hpp"

#include <filesystem>

namespace berth::core {
namespace {

constexpr std::string_view k_special = "*#$@!?-0123456789";

bool is_special(char c) {
  return k_special.find(c) != std::string_view::npos;
}

bool is_name(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Reference {
  std::string_view name;
  /// Characters after the `$` that belong to it.
  std::size_t width = 0;
};

/// `rest` is what follows a `$`; not empty.
Reference read_reference(std::string_view rest) {
  if (rest[0] == '{') {
    if (rest.size() > 2 && is_special(rest[1]) && rest[2] == '}') return {rest.substr(1, 1), 3};
    const std::size_t close = rest.find('}', 1);
    if (close == std::string_view::npos) return {{}, 1};
    return {rest.substr(1, close - 1), close + 1};
  }
  if (is_special(rest[0])) return {rest.substr(0, 1), 1};
  std::size_t length = 0;
  while (length < rest.size() && is_name(rest[length])) ++length;
  return {rest.substr(0, length), length};
}

}  // namespace

std::string expand(std::string_view text,
                   const std::function<std::string(std::string_view)>& lookup) {
  std::string result;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    if (dollar == std::string_view::npos || dollar + 1 == text.size()) break;
    result += text.substr(0, dollar);
    text.remove_prefix(dollar + 1);
    const Reference reference = read_reference(text);
    if (!reference.name.empty()) {
      result += lookup(reference.name);
    } else if (reference.width == 0) {
      result += '$';
    }
    text.remove_prefix(reference.width);
  }
  result += text;
  return result;
}

std::string expand(std::string_view text, const Variables& variables) {
  return expand(text, [&](std::string_view name) -> std::string {
    if (name == "$") return "$";
    if (name.size() == 1 && is_special(name[0])) return {};
    const Variable* variable = variables.find(name);
    if (variable == nullptr) return {};
    return variable->file ? file_variable_path(variables, name) : variable->value;
  });
}

std::string file_variable_path(const Variables& variables, std::string_view key) {
  const std::filesystem::path directory(variables.get("RUNNER_TEMP_PROJECT_DIR"));
  return (directory / key).lexically_normal().string();
}

}  // namespace berth::core
