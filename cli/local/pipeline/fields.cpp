#include "cli/local/pipeline/fields.hpp"

#include "cli/local/pipeline/duration.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace berth::local::pipeline {
namespace {

/// Levels of lists in lists that GitLab takes in scripts and rules.
constexpr int k_max_nesting = 10;

using Words = std::optional<std::vector<std::string>>;

Words words_of(const Entry& entry, std::string_view wanted, Problems& problems) {
  std::vector<std::string> words;
  for (const ValuePtr& item : entry.value->items) {
    // Symbols count as strings in GitLab's checks (validate_string).
    if (item->is(Value::Kind::string) || item->is(Value::Kind::symbol)) {
      words.push_back(item->text);
      continue;
    }
    problems.add(item->place, fmt::format("`{}` must be {}, this element is {}: quote it?",
                                          entry.key, wanted, kind_name(*item)));
    return std::nullopt;
  }
  return words;
}

void flatten_into(const Value& list, int depth, std::vector<ValuePtr>& out, Problems& problems) {
  if (depth > k_max_nesting) {
    problems.add(list.place, fmt::format("lists are nested deeper than {} levels", k_max_nesting));
    return;
  }
  for (const ValuePtr& item : list.items) {
    if (item->is(Value::Kind::list)) {
      flatten_into(*item, depth + 1, out, problems);
    } else {
      out.push_back(item);
    }
  }
}

}  // namespace

const Entry* present_entry(const Value& map, std::string_view key) {
  const Entry* entry = map.find(key);
  return entry == nullptr || entry->value->is(Value::Kind::null) ? nullptr : entry;
}

void wrong_type(const Entry& entry, std::string_view wanted, Problems& problems) {
  const bool quote = entry.value->is_scalar() && !entry.value->is(Value::Kind::string) &&
                     wanted.find("a string") != std::string_view::npos;
  problems.add(entry.value->place, fmt::format("`{}` must be {}, not {}{}", entry.key, wanted,
                                               kind_name(*entry.value), quote ? ": quote it" : ""));
}

std::string one_of(std::span<const std::string_view> words) {
  return fmt::format("one of {}", fmt::join(words, ", "));
}

std::optional<int> integer_of(const Value& value) {
  int number = 0;
  const char* end = value.text.data() + value.text.size();
  if (!value.is(Value::Kind::integer)) return std::nullopt;
  const auto [stop, error] = std::from_chars(value.text.data(), end, number);
  return error == std::errc{} && stop == end ? std::optional<int>(number) : std::nullopt;
}

std::optional<std::string> string_field(const Value& map, std::string_view key,
                                        Problems& problems) {
  const Entry* entry = present_entry(map, key);
  if (entry == nullptr) return std::nullopt;
  if (entry->value->is(Value::Kind::string)) return entry->value->text;
  wrong_type(*entry, "a string", problems);
  return std::nullopt;
}

std::optional<bool> boolean_field(const Value& map, std::string_view key, Problems& problems) {
  const Entry* entry = present_entry(map, key);
  if (entry == nullptr) return std::nullopt;
  if (entry->value->is(Value::Kind::boolean)) return entry->value->is_true();
  wrong_type(*entry, "true or false", problems);
  return std::nullopt;
}

std::optional<std::string> choice_field(const Value& map, std::string_view key,
                                        std::span<const std::string_view> allowed,
                                        Problems& problems) {
  auto word = string_field(map, key, problems);
  if (!word || std::find(allowed.begin(), allowed.end(), *word) != allowed.end()) return word;
  problems.add(map.find(key)->value->place,
               fmt::format("`{}` must be {}, not `{}`", key, one_of(allowed), *word));
  return std::nullopt;
}

Words strings_field(const Value& map, std::string_view key, Problems& problems) {
  const Entry* entry = present_entry(map, key);
  if (entry == nullptr) return std::nullopt;
  if (entry->value->is(Value::Kind::list)) return words_of(*entry, "a list of strings", problems);
  wrong_type(*entry, "a list of strings", problems);
  return std::nullopt;
}

Words words_field(const Value& map, std::string_view key, Problems& problems) {
  constexpr std::string_view wanted = "a string or a list of strings";
  const Entry* entry = present_entry(map, key);
  if (entry == nullptr) return std::nullopt;
  if (entry->value->is(Value::Kind::string)) return std::vector<std::string>{entry->value->text};
  if (entry->value->is(Value::Kind::list)) return words_of(*entry, wanted, problems);
  wrong_type(*entry, wanted, problems);
  return std::nullopt;
}

std::optional<std::vector<int>> integers_field(const Value& map, std::string_view key,
                                               Problems& problems) {
  const Entry* entry = present_entry(map, key);
  if (entry == nullptr) return std::nullopt;
  if (const auto one = integer_of(*entry->value)) return std::vector<int>{*one};
  if (!entry->value->is(Value::Kind::list)) {
    wrong_type(*entry, "an integer or a list of integers", problems);
    return std::nullopt;
  }
  std::vector<int> numbers;
  for (const ValuePtr& item : entry->value->items) {
    const auto number = integer_of(*item);
    if (!number) {
      problems.add(item->place, fmt::format("`{}` must be a list of integers, this element is {}",
                                            key, kind_name(*item)));
      return std::nullopt;
    }
    numbers.push_back(*number);
  }
  return numbers;
}

std::optional<std::chrono::seconds> duration_field(const Value& map, std::string_view key,
                                                   Problems& problems) {
  const auto text = string_field(map, key, problems);
  if (!text) return std::nullopt;
  const auto duration = parse_duration(*text);
  if (!duration) {
    problems.add(
        map.find(key)->value->place,
        fmt::format("`{}`: `{}` is no time; write it as \"1h 30m\" or \"2 days\"", key, *text));
  }
  return duration;
}

Words script_field(const Value& map, std::string_view key, Problems& problems) {
  constexpr std::string_view wanted = "a string or a list of strings";
  const Entry* entry = present_entry(map, key);
  if (entry == nullptr) return std::nullopt;
  if (entry->value->is(Value::Kind::string)) return std::vector<std::string>{entry->value->text};
  if (!entry->value->is(Value::Kind::list)) {
    wrong_type(*entry, wanted, problems);
    return std::nullopt;
  }
  std::vector<std::string> lines;
  for (const ValuePtr& item : flatten(*entry->value, problems)) {
    if (!item->is(Value::Kind::string)) {
      problems.add(
          item->place,
          fmt::format("a line of `{}` must be a string, this is {}{}", key, kind_name(*item),
                      item->is(Value::Kind::map) ? ": quote lines that hold `: `" : ": quote it"));
      return std::nullopt;
    }
    lines.push_back(item->text);
  }
  return lines;
}

std::vector<ValuePtr> flatten(const Value& list, Problems& problems) {
  std::vector<ValuePtr> out;
  flatten_into(list, 1, out, problems);
  return out;
}

}  // namespace berth::local::pipeline
