#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace berth::local::pipeline {

/// A regular expression as GitLab knows them: `/.../` with flags i, s, m, U, in
/// RE2's syntax and meaning (Gitlab::UntrustedRegexp). Matches anywhere in a text.
class Pattern {
 public:
  /// Nothing where `text` is not between slashes (RubySyntax.matches_syntax?).
  /// `error` is set where it is, but is no regular expression.
  static std::optional<Pattern> parse(std::string_view text, std::string& error);

  bool matches(std::string_view text) const;
  /// With the flags put in front.
  const std::string& source() const noexcept;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : m_compiled(std::move(compiled)) {}
  std::shared_ptr<const Compiled> m_compiled;
};

/// True where `text` stands between slashes, with flags behind or not.
bool looks_like_pattern(std::string_view text);

/// True where the expression, without slashes, matches somewhere in the text.
bool search(std::string_view expression, std::string_view text);

/// The first match of the expression, without slashes, replaced.
std::string replace_first(std::string_view text, std::string_view expression,
                          std::string_view replacement);

/// include:local and cache:key:files: `**` stands for anything, `*` for anything
/// but a slash (Repository#search_files_by_wildcard_path).
bool wildcard_match(std::string_view pattern, std::string_view path);

}  // namespace berth::local::pipeline
