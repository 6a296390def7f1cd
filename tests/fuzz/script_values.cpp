// Scripts with values to change: nothing else changes, and a second time nothing.

#include "executor/gitlab/script_values.hpp"

#include "executor/gitlab/shell_word.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view script(reinterpret_cast<const char*>(data), size);
  if (const auto word = gitlab::read_shell_word(script, 0)) {
    if (word->end > size || word->origins.size() != word->value.size() + 1) std::abort();
    for (std::size_t i = 1; i < word->origins.size(); ++i)
      if (word->origins[i] <= word->origins[i - 1] && word->value.size() >= i) std::abort();
  }
  const std::vector<gitlab::ValueChange> changes{
      {support::Secret("YQ\nYQ"), support::Secret("YQYQ")}};
  const auto changed = gitlab::change_values(script, changes);
  if (changed.changes == 0 && changed.script.expose() != script) std::abort();
  if (changed.changes > 0 && changed.script.expose().size() >= script.size()) std::abort();
  const auto again = gitlab::change_values(changed.script.expose(), changes);
  if (again.script.expose() != changed.script.expose() && changed.changes == 0) std::abort();
  return 0;
}
