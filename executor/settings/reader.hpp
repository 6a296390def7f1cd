#pragma once

#include "executor/settings/document.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::settings {

/// Takes values out of a document, each with its type and its place in errors.
/// Every function throws OperatorError "<name>:<line>:<column>: '<key>' ...".
class Reader {
 public:
  using Handler = std::function<void(const Value&)>;
  using Handlers = std::map<std::string_view, Handler>;

  explicit Reader(std::string_view name) : m_name(name) {}

  /// Calls the handler of each key, in the file's order. A key without one is
  /// unknown, or, if `refused` has it, not supported yet. Null is an empty map.
  void map(const Value& value, std::string_view key, const Handlers& handlers,
           const std::vector<std::string_view>& refused = {}) const;

  /// A number is a string too (`user: 1000`), nothing and `""` are not.
  std::string text(const Value& value, std::string_view key) const;
  bool boolean(const Value& value, std::string_view key) const;
  std::int64_t integer(const Value& value, std::string_view key, std::int64_t low,
                       std::int64_t high) const;
  std::chrono::seconds duration(const Value& value, std::string_view key, std::int64_t low) const;
  std::vector<std::string> texts(const Value& value, std::string_view key) const;
  /// texts() of which each must pass; `expected` says what is.
  std::vector<std::string> texts(const Value& value, std::string_view key,
                                 const std::function<bool(const std::string&)>& valid,
                                 std::string_view expected) const;
  const std::vector<Value>& list(const Value& value, std::string_view key) const;

  [[noreturn]] void fail(Position position, std::string_view why) const;
  [[noreturn]] void wrong_type(const Value& value, std::string_view key,
                               std::string_view expected) const;
  [[noreturn]] void bad_value(const Value& value, std::string_view key,
                              std::string_view expected) const;

 private:
  std::string_view m_name;
};

}  // namespace berth::settings
