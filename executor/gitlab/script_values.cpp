#include "executor/gitlab/script_values.hpp"

#include "executor/gitlab/shell_word.hpp"

#include <algorithm>
#include <optional>

namespace berth::gitlab {
namespace {

constexpr std::size_t k_none = std::string_view::npos;

/// A change of a part of the body.
struct Edit {
  std::size_t begin;
  std::size_t end;
  std::string_view text;
};

/// As the word that it becomes needs no quotes, nor within other quotes.
bool is_one_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
  });
}

/// The value's place on a line of the body; nothing where the line sets none.
std::optional<std::size_t> value_on_line(std::string_view body, std::size_t line) {
  constexpr std::string_view k_export = "export ";
  constexpr std::string_view k_print = "printf '%s' ";
  const std::size_t begin = body.find_first_not_of(' ', line);
  if (begin == k_none) return std::nullopt;
  const std::string_view rest = body.substr(begin);
  if (rest.starts_with(k_print)) return begin + k_print.size();
  if (!rest.starts_with(k_export)) return std::nullopt;
  const std::size_t equals = rest.find_first_of("=\n");
  if (equals == k_none || rest[equals] == '\n') return std::nullopt;
  return begin + equals + 1;
}

class Body {
 public:
  Body(std::string_view body, const std::vector<ValueChange>& changes)
      : m_body(body), m_changes(changes) {}

  std::vector<Edit> edits() {
    for (std::size_t line = 0; line < m_body.size();) {
      std::size_t next = m_body.find('\n', line);
      if (const auto value = value_on_line(m_body, line)) next = std::max(next, look_at(*value));
      if (next >= m_body.size()) break;
      line = next + 1;
    }
    return std::move(m_edits);
  }

 private:
  /// Where the value ends, as far as it is known; else where it begins.
  std::size_t look_at(std::size_t begin) {
    if (const auto word = read_shell_word(m_body, begin)) {
      for (const ValueChange& change : m_changes)
        if (word->value == change.from.expose() && add(begin, word->end, change)) break;
      if (!m_edits.empty() && m_edits.back().begin == begin) return word->end;
    }
    // FF_POSIXLY_CORRECT_ESCAPES leaves line ends without quotes.
    for (const ValueChange& change : m_changes) {
      const std::string_view from = change.from.expose();
      const std::string_view rest = m_body.substr(begin);
      if (!rest.starts_with(from) || from.find('\n') == k_none) continue;
      const std::string_view behind = rest.substr(from.size());
      const bool ends = behind.empty() || behind.starts_with('\n') || behind.starts_with(" > ");
      if (ends && add(begin, begin + from.size(), change)) return begin + from.size();
    }
    return begin;
  }

  bool add(std::size_t begin, std::size_t end, const ValueChange& change) {
    if (change.from.empty() || !is_one_word(change.to.expose())) return false;
    m_edits.push_back({begin, end, change.to.expose()});
    return true;
  }

  std::string_view m_body;
  const std::vector<ValueChange>& m_changes;
  std::vector<Edit> m_edits;
};

/// The word behind the script's eval.
std::optional<ShellWord> eval_word(std::string_view script) {
  std::size_t begin = k_none;
  for (const std::string_view way : {"; eval ", "| eval "})
    if (const std::size_t found = script.find(way); found != k_none)
      begin = std::min(begin, found + way.size());
  if (begin == k_none) return std::nullopt;
  return read_shell_word(script, begin);
}

}  // namespace

ChangedScript change_values(std::string_view script, const std::vector<ValueChange>& changes) {
  ChangedScript result;
  const auto word = eval_word(script);
  const auto edits = word ? Body(word->value, changes).edits() : std::vector<Edit>{};
  std::string text;
  text.reserve(script.size());
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    const std::size_t begin = word->origins[edit.begin];
    text += script.substr(at, begin - at);
    text += edit.text;
    at = word->origins[edit.end];
  }
  text += script.substr(at);
  result.script = support::Secret(std::move(text));
  result.changes = edits.size();
  return result;
}

}  // namespace berth::gitlab
