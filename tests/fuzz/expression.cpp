// The expressions of rules:if. The same words always give the same result; what
// is refused names a place inside the text.

#include "cli/local/pipeline/expression.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace berth::local::pipeline;

namespace {

berth::core::Variables variables() {
  berth::core::Variables all;
  for (const auto& [key, value] : {std::pair{"A", "a"}, std::pair{"P", "/^a+$/i"},
                                   std::pair{"E", ""}, std::pair{"BAD", "/(/"}}) {
    berth::core::Variable variable;
    variable.key = key;
    variable.value = value;
    all.set(variable);
  }
  return all;
}

/// 0 or 1, or -1 where it is refused.
int result(const std::string& text) {
  static const berth::core::Variables known = variables();
  try {
    return evaluate(text, known) ? 1 : 0;
  } catch (const InvalidExpression& error) {
    if (error.offset() > text.size()) std::abort();
    return -1;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const int first = result(text);
  if (result("  " + text + "\n") != first) std::abort();
  return 0;
}
