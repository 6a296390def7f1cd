#include "cli/local/pipeline/expression.hpp"

#include "cli/local/pipeline/expression_lexer.hpp"
#include "cli/local/pipeline/pattern.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace berth::local::pipeline {
namespace {

struct Null {
  bool operator==(const Null&) const = default;
};
using Result = std::variant<Null, bool, std::string, Pattern>;

bool truthy(const Result& value) {
  const bool* flag = std::get_if<bool>(&value);
  return !std::holds_alternative<Null>(value) && (flag == nullptr || *flag);
}

/// ActiveSupport's present?.
bool present(const Result& value) {
  const std::string* text = std::get_if<std::string>(&value);
  return truthy(value) &&
         (text == nullptr || text->find_first_not_of(" \t\n\r\f\v") != std::string::npos);
}

bool same(const Result& left, const Result& right) {
  if (left.index() != right.index()) return false;
  if (const auto* text = std::get_if<std::string>(&left))
    return *text == std::get<std::string>(right);
  if (const auto* flag = std::get_if<bool>(&left)) return *flag == std::get<bool>(right);
  if (const auto* pattern = std::get_if<Pattern>(&left)) {
    return pattern->source() == std::get<Pattern>(right).source();
  }
  return true;
}

std::string text_of(const Result& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return {};
}

/// `\/` is a slash (Lexeme::Pattern).
std::string unescape_slashes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '/') continue;
    out += text[i];
  }
  return out;
}

bool matches(const Result& left, const Result& right, std::size_t offset) {
  if (std::holds_alternative<Pattern>(left)) {
    throw InvalidExpression("a regular expression stands on the right of =~ and !~ only", offset);
  }
  const std::string text = text_of(left);
  if (const auto* pattern = std::get_if<Pattern>(&right)) return pattern->matches(text);
  if (std::holds_alternative<bool>(right)) {
    throw InvalidExpression("=~ and !~ take a regular expression, not a comparison", offset);
  }
  const std::string& written = std::get<std::string>(right);
  std::string error;
  if (const auto pattern = Pattern::parse(unescape_slashes(written), error)) {
    return pattern->matches(text);
  }
  return written.find(text) != std::string::npos;
}

/// Operators bind as in GitLab: comparisons, then &&, then ||; each to the left.
/// Both sides are always worked out, so that a mistake shows wherever it stands.
class Parser {
 public:
  Parser(std::vector<Token> tokens, const core::Variables& variables)
      : m_tokens(std::move(tokens)), m_variables(variables) {}

  Result run() {
    if (peek().kind == Token::Kind::end) throw InvalidExpression("the expression is empty", 0);
    Result result = either();
    if (peek().kind == Token::Kind::close) {
      throw InvalidExpression("a closing parenthesis without an opening one", peek().offset);
    }
    if (peek().kind != Token::Kind::end) {
      throw InvalidExpression(fmt::format("an operator is missing before `{}`", shown(peek())),
                              peek().offset);
    }
    return result;
  }

 private:
  static std::string shown(const Token& token) {
    return token.kind == Token::Kind::variable ? "$" + token.text : token.text;
  }

  const Token& peek() const { return m_tokens[m_at]; }

  bool take(Token::Kind kind) {
    if (peek().kind != kind) return false;
    ++m_at;
    return true;
  }

  Result either() {
    Result left = both();
    while (take(Token::Kind::or_)) {
      Result right = both();
      if (!truthy(left)) left = std::move(right);
    }
    return left;
  }

  Result both() {
    Result left = comparison();
    while (take(Token::Kind::and_)) {
      Result right = comparison();
      if (truthy(left)) left = std::move(right);
    }
    return left;
  }

  Result comparison() {
    Result left = operand();
    while (true) {
      const Token token = peek();
      if (take(Token::Kind::equals)) {
        const Result right = operand();
        left = same(left, right);
      } else if (take(Token::Kind::not_equals)) {
        const Result right = operand();
        left = !same(left, right);
      } else if (take(Token::Kind::matches)) {
        const Result right = operand();
        left = !std::holds_alternative<Null>(right) && matches(left, right, token.offset);
      } else if (take(Token::Kind::not_matches)) {
        const Result right = operand();
        left = std::holds_alternative<Null>(right) || !matches(left, right, token.offset);
      } else {
        return left;
      }
    }
  }

  Result operand() {
    const Token token = peek();
    if (take(Token::Kind::open)) {
      Result inner = either();
      if (!take(Token::Kind::close)) {
        throw InvalidExpression("an opening parenthesis without a closing one", token.offset);
      }
      return inner;
    }
    if (take(Token::Kind::variable)) {
      const core::Variable* variable = m_variables.find(token.text);
      return variable == nullptr ? Result(Null{}) : Result(variable->value);
    }
    if (take(Token::Kind::string)) return token.text;
    if (take(Token::Kind::null)) return Null{};
    if (take(Token::Kind::pattern)) {
      std::string error;
      auto pattern = Pattern::parse(unescape_slashes(token.text), error);
      if (!pattern) {
        throw InvalidExpression(fmt::format("not a regular expression of RE2: {}", error),
                                token.offset);
      }
      return *std::move(pattern);
    }
    throw InvalidExpression(token.kind == Token::Kind::end
                                ? std::string("the expression ends too early")
                                : fmt::format("a value is missing before `{}`", shown(token)),
                            token.offset);
  }

  std::vector<Token> m_tokens;
  const core::Variables& m_variables;
  std::size_t m_at = 0;
};

}  // namespace

bool evaluate(std::string_view expression, const core::Variables& variables) {
  return present(Parser(tokens_of(expression), variables).run());
}

}  // namespace berth::local::pipeline
