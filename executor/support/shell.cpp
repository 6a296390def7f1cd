#include "executor/support/shell.hpp"

namespace berth::support {

std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'')
      result += "'\\''";
    else
      result.push_back(c);
  }
  return result + "'";
}

}  // namespace berth::support
