#include "cli/local/pipeline/expression_lexer.hpp"

#include "cli/local/pipeline/expression.hpp"

#include <fmt/core.h>

#include <array>
#include <utility>

namespace berth::local::pipeline {
namespace {

/// Expression::Lexer::MAX_TOKENS.
constexpr std::size_t k_max_tokens = 100;

struct Word {
  std::string_view text;
  Token::Kind kind;
};

constexpr std::array<Word, 9> k_words{{{"(", Token::Kind::open},
                                       {")", Token::Kind::close},
                                       {"null", Token::Kind::null},
                                       {"==", Token::Kind::equals},
                                       {"!=", Token::Kind::not_equals},
                                       {"=~", Token::Kind::matches},
                                       {"!~", Token::Kind::not_matches},
                                       {"&&", Token::Kind::and_},
                                       {"||", Token::Kind::or_}}};

bool word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : m_text(text) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    while (true) {
      while (m_at < m_text.size() && blank(m_text[m_at])) ++m_at;
      if (m_at == m_text.size()) break;
      if (tokens.size() == k_max_tokens) {
        throw InvalidExpression(fmt::format("more than {} words", k_max_tokens), m_at);
      }
      tokens.push_back(next());
    }
    tokens.push_back({Token::Kind::end, {}, m_text.size()});
    return tokens;
  }

 private:
  Token next() {
    const std::size_t start = m_at;
    const char c = m_text[m_at];
    if (c == '$') return variable();
    if (c == '"' || c == '\'') return quoted(c);
    if (c == '/') return pattern();
    for (const Word& word : k_words) {
      if (m_text.substr(m_at, word.text.size()) == word.text) {
        m_at += word.text.size();
        return {word.kind, std::string(word.text), start};
      }
    }
    std::size_t end = m_at + 1;
    while (end < m_text.size() && !blank(m_text[end]) && end - m_at < 40) ++end;
    throw InvalidExpression(fmt::format("unexpected `{}`", m_text.substr(m_at, end - m_at)), start);
  }

  Token variable() {
    const std::size_t start = m_at;
    std::size_t end = m_at + 1;
    while (end < m_text.size() && word_character(m_text[end])) ++end;
    if (end == start + 1) {
      const bool braces = end < m_text.size() && m_text[end] == '{';
      throw InvalidExpression(braces ? "variables are written $NAME here, without braces"
                                     : "`$` without a variable's name",
                              start);
    }
    m_at = end;
    return {Token::Kind::variable, std::string(m_text.substr(start + 1, end - start - 1)), start};
  }

  Token quoted(char quote) {
    const std::size_t start = m_at;
    const std::size_t end = m_text.find(quote, m_at + 1);
    const std::string_view content =
        m_text.substr(start + 1, end == std::string_view::npos ? end : end - start - 1);
    if (end == std::string_view::npos || content.find('\n') != std::string_view::npos) {
      throw InvalidExpression("a string without its closing quote", start);
    }
    m_at = end + 1;
    return {Token::Kind::string, std::string(content), start};
  }

  /// Up to the first slash that no backslash precedes; two characters at least.
  Token pattern() {
    const std::size_t start = m_at;
    std::size_t end = m_at + 1;
    while (end < m_text.size() && (m_text[end] != '/' || m_text[end - 1] == '\\')) ++end;
    if (end == m_text.size()) {
      throw InvalidExpression("a regular expression without its closing slash", start);
    }
    if (end - start < 3) {
      throw InvalidExpression("GitLab takes regular expressions of two characters and more only",
                              start);
    }
    ++end;
    while (end < m_text.size() &&
           std::string_view("ismU").find(m_text[end]) != std::string_view::npos) {
      ++end;
    }
    m_at = end;
    return {Token::Kind::pattern, std::string(m_text.substr(start, end - start)), start};
  }

  std::string_view m_text;
  std::size_t m_at = 0;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view expression) {
  return Lexer(expression).run();
}

}  // namespace berth::local::pipeline
