#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::settings {

/// Where something stands in a file; both count from 1.
struct Position {
  int line = 1;
  int column = 1;
};

/// A YAML value with its place: so that only document.cpp knows a YAML library.
struct Value {
  enum class Kind { null, scalar, list, map };
  struct Entry;

  Kind kind = Kind::null;
  Position position;
  std::string scalar;
  /// Written in quotes, or marked !!str: a string, whatever it looks like.
  bool quoted = false;
  std::vector<Value> items;
  std::vector<Entry> entries;
};

struct Value::Entry {
  std::string key;
  Position position;
  Value value;
};

/// One YAML document; an empty text is null. Duplicate keys of a map are an
/// error. Throws OperatorError "<name>:<line>:<column>: ...".
Value read_document(std::string_view yaml, std::string_view name);

}  // namespace berth::settings
