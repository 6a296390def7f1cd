#include "cli/local/pipeline/yaml_value.hpp"

#include <algorithm>
#include <utility>

namespace berth::local::pipeline {

bool Value::is_scalar() const noexcept {
  return kind == Kind::boolean || kind == Kind::integer || kind == Kind::real ||
         kind == Kind::string || kind == Kind::symbol;
}

const Entry* Value::find(std::string_view key) const noexcept {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::string_view kind_name(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::boolean:
      return "a boolean";
    case Value::Kind::integer:
      return "an integer";
    case Value::Kind::real:
      return "a number";
    case Value::Kind::string:
      return "a string";
    case Value::Kind::symbol:
      return "a symbol (a plain word that starts with `:`)";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::map:
      return "a map";
    case Value::Kind::reference:
      return "a !reference";
  }
  return "a value";
}

std::shared_ptr<Value> make_map(Place place) {
  auto map = std::make_shared<Value>();
  map->kind = Value::Kind::map;
  map->place = std::move(place);
  return map;
}

void measure(Value& value) {
  // Saturates: aliases of aliases grow faster than any integer.
  constexpr std::size_t most = k_max_composed * 4;
  value.weight = 1;
  value.height = 1;
  value.refers = value.is(Value::Kind::reference);
  const auto add = [&](const Value& part, std::size_t extra) {
    value.weight = std::min(most, value.weight + extra + part.weight);
    value.height = std::max(value.height, part.height + 1);
    value.refers = value.refers || part.refers;
  };
  for (const ValuePtr& item : value.items) add(*item, 0);
  for (const Entry& entry : value.entries) add(*entry.value, 1);
}

void set_entry(Value& map, Entry entry) {
  const auto found = std::find_if(map.entries.begin(), map.entries.end(),
                                  [&](const Entry& old) { return old.key == entry.key; });
  if (found == map.entries.end()) {
    map.entries.push_back(std::move(entry));
  } else {
    *found = std::move(entry);
  }
}

}  // namespace berth::local::pipeline
