#pragma once

#include "executor/core/job.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace berth::local::pipeline {

/// What is wrong with an expression, and at which of its characters.
class InvalidExpression : public std::runtime_error {
 public:
  InvalidExpression(const std::string& what, std::size_t offset)
      : std::runtime_error(what), m_offset(offset) {}
  std::size_t offset() const noexcept { return m_offset; }

 private:
  std::size_t m_offset;
};

/// `rules:if`: variables, strings, null, /regular expressions/, == != =~ !~, &&,
/// ||, parentheses (Gitlab::Ci::Pipeline::Expression; at most 100 words). True
/// where the result is neither null, false nor a blank string. Of a variable the
/// last value in `variables` counts. GitLab's own turns are kept: `&&` and `||`
/// give one of their operands, of which "" counts as true inside; a variable to
/// the right of =~ that holds no /pattern/ is searched for the left text.
/// Throws InvalidExpression.
bool evaluate(std::string_view expression, const core::Variables& variables);

}  // namespace berth::local::pipeline
