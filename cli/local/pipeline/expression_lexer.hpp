#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::local::pipeline {

/// A word of an expression.
struct Token {
  enum class Kind {
    open,
    close,
    variable,
    string,
    pattern,
    null,
    equals,
    not_equals,
    matches,
    not_matches,
    and_,
    or_,
    end
  };
  Kind kind = Kind::end;
  /// Name of the variable, content of the string, the pattern with its slashes.
  std::string text;
  std::size_t offset = 0;
};

/// Always ends with a token of kind end. Throws InvalidExpression.
std::vector<Token> tokens_of(std::string_view expression);

}  // namespace berth::local::pipeline
