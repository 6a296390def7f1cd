// A strategic merge patch: "<spec>\n<patch>", both JSON. Any patch applies or is an
// OperatorError; no container keeps a directive.

#include "executor/kubernetes/pod/strategic_merge.hpp"

#include "executor/support/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using nlohmann::json;

bool is_clean(const json& value) {
  // A plain value's items() are itself.
  if (!value.is_structured()) return !value.is_null();
  for (const auto& [key, item] : value.items()) {
    if ((value.is_object() && key.starts_with('$')) || !is_clean(item)) return false;
  }
  return true;
}

int depth(const json& value) {
  if (!value.is_structured()) return 0;
  int deepest = 0;
  for (const json& item : value) deepest = std::max(deepest, depth(item));
  return deepest + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const json spec = json::parse(text.substr(0, line), nullptr, false);
  const json patch = json::parse(text.substr(line + 1), nullptr, false);
  // Settings are read to a depth of 16.
  if (!spec.is_object() || patch.is_discarded() || !is_clean(spec) || depth(patch) > 20) return 0;
  try {
    const json result = berth::kubernetes::strategic_merge(spec, patch);
    if (!result.is_object()) std::abort();
    // A list that does not merge is taken as it is written, nulls and all.
    if (result.contains("containers") && result["containers"].is_array()) {
      for (const json& one : result["containers"]) {
        if (one.contains("$patch") || one.contains("$retainKeys")) std::abort();
      }
    }
  } catch (const berth::support::OperatorError&) {
  }
  return 0;
}
