#include "cli/local/local_settings.hpp"

#include "executor/settings/document.hpp"

#include <algorithm>

namespace berth::local {
namespace {

using settings::Value;

constexpr std::string_view k_default = "pull_policy: if-not-present";

const Value::Entry* find(const Value& map, std::string_view key) {
  const auto found = std::ranges::find(map.entries, key, &Value::Entry::key);
  return found == map.entries.end() ? nullptr : &*found;
}

/// Where a line (from 1) begins.
std::size_t offset_of(std::string_view text, int line) {
  std::size_t at = 0;
  for (int i = 1; i < line; ++i) {
    const auto newline = text.find('\n', at);
    if (newline == std::string_view::npos) return text.size();
    at = newline + 1;
  }
  return at;
}

}  // namespace

std::string with_default_pull_policy(std::string_view yaml, std::string_view name) {
  const Value document = settings::read_document(yaml, name);
  std::string text(yaml);
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  const Value::Entry* backend = find(document, "backend");
  const std::string key =
      backend != nullptr && backend->value.scalar == "kubernetes" ? "kubernetes" : "docker";
  const Value::Entry* entry = find(document, key);
  if (entry == nullptr) return text + key + ":\n  " + std::string(k_default) + "\n";
  const Value& section = entry->value;
  if (find(section, "pull_policy") != nullptr) return text;
  if (section.kind == Value::Kind::null) {
    text.insert(offset_of(text, entry->position.line + 1), "  " + std::string(k_default) + "\n");
    return text;
  }
  if (section.kind != Value::Kind::map) return text;  // the stages will say what is wrong
  const std::size_t begin =
      offset_of(text, entry->position.line) + static_cast<std::size_t>(entry->position.column) - 1;
  // The section's own brace stands behind its key and before its first entry.
  const settings::Position first =
      section.entries.empty() ? section.position : section.entries.front().position;
  const std::size_t end = section.entries.empty() ? text.size()
                                                  : offset_of(text, first.line) +
                                                        static_cast<std::size_t>(first.column) - 1;
  const auto brace = text.find('{', begin);
  if (brace < end) {
    text.insert(brace + 1, std::string(k_default) + (section.entries.empty() ? "" : ", "));
  } else {
    const std::string indent(static_cast<std::size_t>(first.column) - 1, ' ');
    text.insert(offset_of(text, first.line), indent + std::string(k_default) + "\n");
  }
  return text;
}

}  // namespace berth::local
