#pragma once

#include "cli/local/pipeline/problems.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Typed access to the keys of a map. A key that is absent or null gives nothing; a
/// wrong type is a problem at the value's place and gives nothing too.
namespace berth::local::pipeline {

/// The entry, unless it is absent or null.
const Entry* present_entry(const Value& map, std::string_view key);

std::optional<std::string> string_field(const Value& map, std::string_view key, Problems& problems);
std::optional<bool> boolean_field(const Value& map, std::string_view key, Problems& problems);
/// A string that is one of `allowed`.
std::optional<std::string> choice_field(const Value& map, std::string_view key,
                                        std::span<const std::string_view> allowed,
                                        Problems& problems);
/// A list of strings.
std::optional<std::vector<std::string>> strings_field(const Value& map, std::string_view key,
                                                      Problems& problems);
/// A list of strings, or one string.
std::optional<std::vector<std::string>> words_field(const Value& map, std::string_view key,
                                                    Problems& problems);
/// A list of integers, or one.
std::optional<std::vector<int>> integers_field(const Value& map, std::string_view key,
                                               Problems& problems);
std::optional<std::chrono::seconds> duration_field(const Value& map, std::string_view key,
                                                   Problems& problems);
/// Shell lines: a string, or strings in lists nested up to 10 deep, flattened.
std::optional<std::vector<std::string>> script_field(const Value& map, std::string_view key,
                                                     Problems& problems);

/// Elements of lists in lists, up to 10 deep, in order (what !reference makes).
std::vector<ValuePtr> flatten(const Value& list, Problems& problems);

/// "`key` must be `wanted`, not <kind>".
void wrong_type(const Entry& entry, std::string_view wanted, Problems& problems);
/// "one of a, b, c" for messages.
std::string one_of(std::span<const std::string_view> words);
std::optional<int> integer_of(const Value& value);

}  // namespace berth::local::pipeline
