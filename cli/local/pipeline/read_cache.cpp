#include "cli/local/pipeline/digest.hpp"
#include "cli/local/pipeline/entries.hpp"
#include "cli/local/pipeline/fields.hpp"
#include "cli/local/pipeline/pattern.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace berth::local::pipeline {
namespace {

constexpr std::array<std::string_view, 7> k_known{"key",  "paths",     "untracked",    "policy",
                                                  "when", "unprotect", "fallback_keys"};
constexpr std::array<std::string_view, 2> k_key{"files", "prefix"};
constexpr std::array<std::string_view, 1> k_key_unsupported{"files_commits"};
constexpr std::array<std::string_view, 3> k_when{"on_success", "on_failure", "always"};
constexpr std::size_t k_max_caches = 4;
constexpr std::size_t k_max_files = 2;
constexpr std::size_t k_max_fallback_keys = 5;

/// KeyValidator: no slash, plain or %2F, and neither "." nor "..".
void check_key(std::string_view key, const Place& place, Problems& problems) {
  std::string plain;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::string_view three = key.substr(i, 3);
    const bool slash = three == "%2f" || three == "%2F";
    const bool dot = three == "%2e" || three == "%2E";
    plain += slash ? '/' : dot ? '.' : key[i];
    if (slash || dot) i += 2;
  }
  if (plain.find('/') != std::string::npos) {
    problems.add(place, fmt::format("the cache key `{}` cannot contain a slash", key));
  } else if (plain == "." || plain == "..") {
    problems.add(place, "a cache key cannot be \".\" or \"..\"");
  }
}

/// The digest of the files' content, by their blobs' ids
/// (Seed::Build::Cache#hash_of_file_contents).
std::string digest_of(const std::vector<std::string>& files, const Context& context) {
  std::vector<std::string> paths;
  for (const std::string& file : files) {
    if (file.find('*') == std::string::npos) {
      paths.push_back(file);
    } else if (context.list_files) {
      for (std::string& path : context.list_files()) {
        if (wildcard_match(file, path)) paths.push_back(std::move(path));
      }
    }
  }
  std::vector<std::string> ids;
  for (const std::string& path : paths) {
    std::string id = context.blob_id_of ? context.blob_id_of(path) : std::string{};
    if (!id.empty()) ids.push_back(std::move(id));
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.empty()) return "default";
  std::string joined;
  for (const std::string& id : ids) joined += (joined.empty() ? "" : "-") + id;
  return sha1_hex(joined);
}

std::string key_of_files(const Value& map, std::size_t index, const Context& context,
                         Problems& problems) {
  check_keys(map, {"`cache:key`", k_key, k_key_unsupported}, problems);
  const Entry* entry = present_entry(map, "files");
  if (entry == nullptr) {
    if (map.find("files_commits") == nullptr) problems.add(map.place, "`cache:key` has no `files`");
    return "default";
  }
  const auto files = strings_field(map, "files", problems);
  if (!files) return "default";
  if (files->empty() || files->size() > k_max_files) {
    problems.add(entry->value->place,
                 fmt::format("`cache:key:files` takes 1 to {} files", k_max_files));
  }
  // Without a prefix: the place in the list and the files' names.
  std::string prefix = fmt::format("{}_", index);
  for (std::size_t i = 0; i < files->size(); ++i) {
    prefix += (i == 0 ? "" : "_") + (*files)[i].substr(0, (*files)[i].find('.'));
  }
  if (const auto written = string_field(map, "prefix", problems)) {
    check_key(*written, map.find("prefix")->value->place, problems);
    prefix = *written;
  }
  const std::string digest = digest_of(*files, context);
  return prefix.empty() ? digest : prefix + "-" + digest;
}

std::string read_key(const Value& map, std::size_t index, const Context& context,
                     Problems& problems) {
  const Entry* entry = present_entry(map, "key");
  if (entry == nullptr) return "default";
  const Value& value = *entry->value;
  if (value.is(Value::Kind::map)) return key_of_files(value, index, context, problems);
  if (value.is(Value::Kind::string) || value.is(Value::Kind::symbol)) {
    check_key(value.text, value.place, problems);
    return value.text;
  }
  wrong_type(*entry, "a string or a map with `files`", problems);
  return "default";
}

std::string read_policy(const Value& map, Problems& problems) {
  const auto policy = string_field(map, "policy", problems);
  if (!policy || policy->empty()) return "pull-push";
  const bool known = *policy == "pull-push" || *policy == "pull" || *policy == "push";
  if (!known && policy->find('$') == std::string::npos) {
    problems.add(
        map.find("policy")->value->place,
        fmt::format("`policy` must be pull-push, push, pull or a variable, not `{}`", *policy));
  }
  return *policy;
}

Cache read_one(const Value& map, std::size_t index, const Context& context, Problems& problems) {
  check_keys(map, {"`cache`", k_known, {}}, problems);
  Cache cache;
  const bool unprotect = boolean_field(map, "unprotect", problems).value_or(false);
  // Ci::Build#cache, with "use separate caches for protected branches", the default.
  const std::string suffix = !unprotect && context.ref_protected ? "-protected" : "-non_protected";
  cache.key = read_key(map, index, context, problems) + suffix;
  if (const auto keys = strings_field(map, "fallback_keys", problems)) {
    if (keys->size() > k_max_fallback_keys) {
      problems.add(map.find("fallback_keys")->value->place,
                   fmt::format("`fallback_keys` takes {} keys at most", k_max_fallback_keys));
    }
    for (const std::string& key : *keys) cache.fallback_keys.push_back(key + suffix);
  }
  cache.paths = strings_field(map, "paths", problems).value_or(std::vector<std::string>{});
  cache.untracked = boolean_field(map, "untracked", problems).value_or(false);
  cache.policy = read_policy(map, problems);
  cache.when = choice_field(map, "when", k_when, problems).value_or("on_success");
  return cache;
}

}  // namespace

std::vector<Cache> read_caches(const Entry& entry, const Context& context, Problems& problems) {
  std::vector<Cache> caches;
  const Value& value = *entry.value;
  if (value.is(Value::Kind::map)) {
    if (!value.entries.empty()) caches.push_back(read_one(value, 0, context, problems));
    return caches;
  }
  if (!value.is(Value::Kind::list)) {
    wrong_type(entry, "a map or a list of maps", problems);
    return caches;
  }
  if (value.items.size() > k_max_caches) {
    problems.add(value.place, fmt::format("a job takes {} caches at most", k_max_caches));
  }
  for (const ValuePtr& item : value.items) {
    if (item->is(Value::Kind::map)) {
      caches.push_back(read_one(*item, caches.size(), context, problems));
    } else {
      problems.add(item->place, fmt::format("a cache must be a map, not {}", kind_name(*item)));
    }
  }
  return caches;
}

}  // namespace berth::local::pipeline
