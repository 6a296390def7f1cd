#pragma once

#include "cli/local/pipeline/pipeline.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace berth::local::pipeline {

/// Where a value stands; cheap to copy.
struct Place {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;

  Position position() const { return {file ? *file : std::string{}, line, column}; }
};

struct Value;
/// Shared and never changed after it was made, so that an alias costs nothing.
using ValuePtr = std::shared_ptr<const Value>;

struct Entry {
  std::string key;
  Place place;
  ValuePtr value;
};

/// A YAML node as Ruby's Psych, which GitLab uses, would see it.
struct Value {
  enum class Kind { null, boolean, integer, real, string, symbol, list, map, reference };

  Kind kind = Kind::null;
  Place place;
  /// Scalars: what Ruby's to_s gives ("true", "493" for 0755, "1.1" for 1.10).
  std::string text;
  /// Elements of a list, or the path of a !reference.
  std::vector<ValuePtr> items;
  /// A map's entries, keys unique, in Ruby's order.
  std::vector<Entry> entries;
  /// Nodes below and including this one, aliases counted as often as they stand.
  std::size_t weight = 1;
  /// Levels below and including this one. Bounded everywhere, for destroying a
  /// value goes as deep.
  int height = 1;
  /// A !reference stands here or below.
  bool refers = false;

  bool is(Kind wanted) const noexcept { return kind == wanted; }
  bool is_true() const noexcept { return kind == Kind::boolean && text == "true"; }
  /// String, symbol, number or boolean.
  bool is_scalar() const noexcept;
  const Entry* find(std::string_view key) const noexcept;
};

/// "a string", "a list", ... for messages.
std::string_view kind_name(const Value& value);

/// Largest file, with its aliases, and deepest: guards against bombs. GitLab's own
/// limits are of this order (max_yaml_size_bytes 2 MB, max_yaml_depth 100).
inline constexpr std::size_t k_max_nodes = 200'000;
inline constexpr int k_max_depth = 100;
/// Largest configuration with all includes, extends and references.
inline constexpr std::size_t k_max_composed = 5'000'000;

std::shared_ptr<Value> make_map(Place place);
/// Sets weight, height and refers of a map or list from those of its parts.
void measure(Value& value);
/// Replaces the entry of that key where it stands, or appends it (Hash#[]=).
void set_entry(Value& map, Entry entry);

}  // namespace berth::local::pipeline
