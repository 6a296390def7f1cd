#include "executor/settings/reader.hpp"

#include "executor/settings/nearest.hpp"
#include "executor/settings/units.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace berth::settings {
namespace {

std::string_view kind_name(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "nothing";
    case Value::Kind::scalar:
      return value.quoted ? "a string" : "a plain value";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::map:
      return "a map";
  }
  return "something else";
}

}  // namespace

void Reader::fail(Position position, std::string_view why) const {
  throw support::OperatorError(
      fmt::format("{}:{}:{}: {}", m_name, position.line, position.column, why));
}

void Reader::wrong_type(const Value& value, std::string_view key, std::string_view expected) const {
  fail(value.position, fmt::format("'{}' must be {}, not {}", key, expected, kind_name(value)));
}

void Reader::bad_value(const Value& value, std::string_view key, std::string_view expected) const {
  fail(value.position, fmt::format("'{}' must be {}, not '{}'", key, expected, value.scalar));
}

void Reader::map(const Value& value, std::string_view key, const Handlers& handlers,
                 const std::vector<std::string_view>& refused) const {
  if (value.kind == Value::Kind::null) return;
  if (value.kind != Value::Kind::map) wrong_type(value, key.empty() ? "the file" : key, "a map");
  for (const Value::Entry& entry : value.entries) {
    const auto handler = handlers.find(entry.key);
    if (handler != handlers.end()) {
      handler->second(entry.value);
      continue;
    }
    const std::string where = key.empty() ? std::string() : fmt::format(" in '{}'", key);
    if (std::find(refused.begin(), refused.end(), entry.key) != refused.end()) {
      fail(entry.position, fmt::format("'{}'{} is not yet supported", entry.key, where));
    }
    std::vector<std::string_view> known;
    for (const auto& [name, unused] : handlers) known.push_back(name);
    const std::string_view meant = nearest(entry.key, known);
    fail(entry.position,
         fmt::format("unknown key '{}'{}{}", entry.key, where,
                     meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
  }
}

std::string Reader::text(const Value& value, std::string_view key) const {
  if (value.kind != Value::Kind::scalar) wrong_type(value, key, "a string");
  if (value.scalar.empty()) fail(value.position, fmt::format("'{}' must not be empty", key));
  return value.scalar;
}

bool Reader::boolean(const Value& value, std::string_view key) const {
  if (value.kind != Value::Kind::scalar || value.quoted) wrong_type(value, key, "true or false");
  if (value.scalar == "true" || value.scalar == "True" || value.scalar == "TRUE") return true;
  if (value.scalar == "false" || value.scalar == "False" || value.scalar == "FALSE") return false;
  bad_value(value, key, "true or false");
}

std::int64_t Reader::integer(const Value& value, std::string_view key, std::int64_t low,
                             std::int64_t high) const {
  if (value.kind != Value::Kind::scalar || value.quoted) wrong_type(value, key, "a whole number");
  std::int64_t number = 0;
  const char* last = value.scalar.data() + value.scalar.size();
  const auto [end, error] = std::from_chars(value.scalar.data(), last, number);
  if (error != std::errc() || end != last) bad_value(value, key, "a whole number");
  if (number < low || number > high) {
    bad_value(value, key, fmt::format("a whole number from {} to {}", low, high));
  }
  return number;
}

std::chrono::seconds Reader::duration(const Value& value, std::string_view key,
                                      std::int64_t low) const {
  constexpr std::string_view k_expected = "seconds, or a duration such as 5m or 1h30m";
  if (value.kind != Value::Kind::scalar) wrong_type(value, key, k_expected);
  const std::optional<std::chrono::seconds> parsed = parse_duration(value.scalar);
  if (!parsed) bad_value(value, key, k_expected);
  if (parsed->count() < low) bad_value(value, key, fmt::format("at least {} seconds", low));
  return *parsed;
}

const std::vector<Value>& Reader::list(const Value& value, std::string_view key) const {
  if (value.kind != Value::Kind::list) wrong_type(value, key, "a list");
  return value.items;
}

std::vector<std::string> Reader::texts(const Value& value, std::string_view key) const {
  std::vector<std::string> all;
  for (const Value& item : list(value, key)) all.push_back(text(item, key));
  return all;
}

std::vector<std::string> Reader::texts(const Value& value, std::string_view key,
                                       const std::function<bool(const std::string&)>& valid,
                                       std::string_view expected) const {
  for (const Value& item : list(value, key)) {
    if (!valid(text(item, key))) bad_value(item, key, expected);
  }
  return texts(value, key);
}

}  // namespace berth::settings
