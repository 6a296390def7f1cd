#include "cli/local/pipeline/fields.hpp"
#include "cli/local/pipeline/merge.hpp"
#include "cli/local/pipeline/read_job.hpp"

#include <fmt/core.h>

#include <array>

namespace berth::local::pipeline {
namespace {

constexpr std::array<std::string_view, 10> k_default{
    "before_script", "after_script", "image", "services", "cache",
    "interruptible", "timeout",      "retry", "tags",     "artifacts"};
constexpr std::array<std::string_view, 3> k_default_unsupported{"hooks", "id_tokens", "identity"};
/// Keywords of `default` that may stand at the top level too, deprecated.
constexpr std::array<std::string_view, 5> k_global{"before_script", "after_script", "image",
                                                   "services", "cache"};

}  // namespace

Defaults read_defaults(const Value& root, Problems& problems) {
  Defaults defaults;
  if (const Entry* entry = present_entry(root, "default")) {
    if (entry->value->is(Value::Kind::map)) {
      check_keys(*entry->value, {"`default`", k_default, k_default_unsupported}, problems);
      for (const std::string_view key : k_default) {
        if (const Entry* each = present_entry(*entry->value, key)) defaults.emplace(key, *each);
      }
    } else {
      wrong_type(*entry, "a map", problems);
    }
  }
  for (const std::string_view key : k_global) {
    const Entry* global = present_entry(root, key);
    if (global == nullptr) continue;
    if (!defaults.emplace(key, *global).second) {
      problems.add(global->place,
                   fmt::format("`{}` stands at the top level and in `default`", key));
    }
  }
  return defaults;
}

}  // namespace berth::local::pipeline
