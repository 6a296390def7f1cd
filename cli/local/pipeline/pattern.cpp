#include "cli/local/pipeline/pattern.hpp"

#include <fmt/core.h>
#include <re2/re2.h>

#include <utility>

namespace berth::local::pipeline {
namespace {

RE2::Options options() {
  RE2::Options chosen(RE2::Quiet);
  chosen.set_max_mem(std::int64_t{8} << 20);
  return chosen;
}

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

/// Splits /regexp/flags. False where it has no such form.
bool split(std::string_view text, std::string_view& expression, std::string_view& flags) {
  if (text.size() < 2 || text.front() != '/') return false;
  const std::size_t end = text.find_last_of('/');
  if (end == 0) return false;
  expression = text.substr(1, end - 1);
  flags = text.substr(end + 1);
  return flags.find_first_not_of("ismU") == std::string_view::npos;
}

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(std::string text) : source(std::move(text)), regexp(source, options()) {}
  std::string source;
  RE2 regexp;
};

std::optional<Pattern> Pattern::parse(std::string_view text, std::string& error) {
  error.clear();
  std::string_view expression;
  std::string_view flags;
  if (!split(text, expression, flags)) return std::nullopt;
  std::string source =
      flags.empty() ? std::string(expression) : fmt::format("(?{}){}", flags, expression);
  auto compiled = std::make_shared<const Compiled>(std::move(source));
  if (!compiled->regexp.ok()) {
    error = compiled->regexp.error();
    return std::nullopt;
  }
  return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view text) const {
  return RE2::PartialMatch(piece(text), m_compiled->regexp);
}

const std::string& Pattern::source() const noexcept {
  return m_compiled->source;
}

bool looks_like_pattern(std::string_view text) {
  std::string_view expression;
  std::string_view flags;
  return split(text, expression, flags);
}

bool search(std::string_view expression, std::string_view text) {
  const RE2 regexp(piece(expression), options());
  return regexp.ok() && RE2::PartialMatch(piece(text), regexp);
}

std::string replace_first(std::string_view text, std::string_view expression,
                          std::string_view replacement) {
  std::string out(text);
  const RE2 regexp(piece(expression), options());
  if (regexp.ok()) RE2::Replace(&out, regexp, piece(replacement));
  return out;
}

bool wildcard_match(std::string_view pattern, std::string_view path) {
  std::string expression;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '*') {
      expression += RE2::QuoteMeta(piece(pattern.substr(i, 1)));
    } else if (i + 1 < pattern.size() && pattern[i + 1] == '*') {
      expression += ".*?";
      ++i;
    } else {
      expression += "[^/]*?";
    }
  }
  const RE2 regexp(expression, options());
  return regexp.ok() && RE2::FullMatch(piece(path), regexp);
}

}  // namespace berth::local::pipeline
