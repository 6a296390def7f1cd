#include "cli/local/runner/variables.hpp"

#include <algorithm>
#include <cctype>

namespace berth::local::runner {
namespace {

bool is_name_character(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_special(char c) {
  return std::string_view("*#$@!?-0123456789").find(c) != std::string_view::npos;
}

/// What follows a `$`: the name, and how many characters it took. An empty name
/// with a length is broken syntax and is swallowed.
struct Reference {
  std::string_view name;
  std::size_t length = 0;
};

Reference parse_reference(std::string_view text) {
  if (text.front() == '{') {
    const auto close = text.find('}');
    if (close == std::string_view::npos) return {{}, 1};
    return {text.substr(1, close - 1), close + 1};
  }
  if (is_special(text.front())) return {text.substr(0, 1), 1};
  const auto end = std::find_if_not(text.begin(), text.end(), is_name_character);
  const auto length = static_cast<std::size_t>(end - text.begin());
  return {text.substr(0, length), length};
}

}  // namespace

void VariableList::add_internal(std::string key, std::string value) {
  m_all.push_back(
      {.key = std::move(key), .value = std::move(value), .is_public = true, .internal = true});
}

void VariableList::append(const std::vector<Variable>& more) {
  m_all.insert(m_all.end(), more.begin(), more.end());
}

void VariableList::overwrite_first(std::string_view key, std::string value) {
  const auto found =
      std::find_if(m_all.begin(), m_all.end(), [&](const Variable& v) { return v.key == key; });
  if (found == m_all.end()) return;
  *found = {
      .key = std::string(key), .value = std::move(value), .is_public = true, .internal = true};
}

const Variable* VariableList::find(std::string_view key) const {
  const auto found =
      std::find_if(m_all.rbegin(), m_all.rend(), [&](const Variable& v) { return v.key == key; });
  return found == m_all.rend() ? nullptr : &*found;
}

std::string VariableList::get(std::string_view key) const {
  const Variable* variable = find(key);
  if (variable == nullptr) return {};
  if (variable->file) return value(k_temp_dir_key) + "/" + variable->key;
  return variable->value;
}

std::string VariableList::value(std::string_view key) const {
  const Variable* variable = find(key);
  return variable == nullptr ? std::string{} : variable->value;
}

bool VariableList::is_true(std::string_view key) const {
  return parse_bool(get(key), false);
}

std::string VariableList::lookup(std::string_view name) const {
  if (name == "$") return "$";
  if (name.size() == 1 && is_special(name.front())) return {};
  return get(name);
}

std::string VariableList::expand(std::string_view text) const {
  std::string result;
  while (!text.empty()) {
    const auto dollar = text.find('$');
    if (dollar == std::string_view::npos || dollar + 1 == text.size()) break;
    result.append(text.substr(0, dollar));
    text.remove_prefix(dollar + 1);
    const Reference reference = parse_reference(text);
    if (reference.length == 0) {
      result.push_back('$');
    } else if (!reference.name.empty()) {
      result.append(lookup(reference.name));
    }
    text.remove_prefix(reference.length);
  }
  result.append(text);
  return result;
}

VariableList VariableList::expanded_with(const VariableList& source) const {
  VariableList result = *this;
  for (Variable& variable : result.m_all) {
    if (!variable.raw) variable.value = source.expand(variable.value);
  }
  return result;
}

bool parse_bool(std::string_view text, bool fallback) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "1" || lower == "t" || lower == "true") return true;
  if (lower == "0" || lower == "f" || lower == "false") return false;
  return fallback;
}

}  // namespace berth::local::runner
