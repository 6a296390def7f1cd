#include "executor/settings/document.hpp"

#include "executor/settings/second_document.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <set>

namespace berth::settings {
namespace {

// A settings file is small and flat. Aliases can make a short text endless, in
// depth or in size.
constexpr int k_max_depth = 16;
constexpr int k_max_values = 20000;

Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {.line = mark.line + 1, .column = mark.column + 1};
}

class Converter {
 public:
  explicit Converter(std::string_view name) : m_name(name) {}

  Value convert(const YAML::Node& node, int depth) {
    Value value;
    value.position = position_of(node.Mark());
    if (depth > k_max_depth) fail(value.position, "nested too deeply");
    if (++m_values > k_max_values) fail(value.position, "too many values");
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        break;
      case YAML::NodeType::Scalar:
        read_scalar(node, value);
        break;
      case YAML::NodeType::Sequence:
        value.kind = Value::Kind::list;
        for (const auto& item : node) value.items.push_back(convert(item, depth + 1));
        break;
      case YAML::NodeType::Map:
        read_map(node, value, depth);
        break;
    }
    return value;
  }

  [[noreturn]] void fail(Position position, std::string_view why) const {
    throw support::OperatorError(
        fmt::format("{}:{}:{}: {}", m_name, position.line, position.column, why));
  }

 private:
  static void read_scalar(const YAML::Node& node, Value& value) {
    value.scalar = node.Scalar();
    // The library's tags: "?" plain, "!" quoted.
    value.quoted = node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str";
    const bool nothing = value.scalar.empty() || value.scalar == "~" || value.scalar == "null" ||
                         value.scalar == "Null" || value.scalar == "NULL";
    value.kind = nothing && !value.quoted ? Value::Kind::null : Value::Kind::scalar;
  }

  void read_map(const YAML::Node& node, Value& value, int depth) {
    value.kind = Value::Kind::map;
    std::set<std::string> seen;
    for (const auto& pair : node) {
      const Position position = position_of(pair.first.Mark());
      if (!pair.first.IsScalar()) fail(position, "a key must be a word");
      const std::string& key = pair.first.Scalar();
      if (!seen.insert(key).second) fail(position, fmt::format("'{}' is given twice", key));
      value.entries.push_back(
          {.key = key, .position = position, .value = convert(pair.second, depth + 1)});
    }
  }

  std::string_view m_name;
  int m_values = 0;
};

}  // namespace

Value read_document(std::string_view yaml, std::string_view name) {
  Converter converter(name);
  try {
    const std::string text(yaml);
    if (const std::optional<Position> second = second_document(text)) {
      converter.fail(*second, "a second document begins here");
    }
    return converter.convert(YAML::Load(text), 0);
  } catch (const YAML::Exception& error) {
    converter.fail(position_of(error.mark), "not valid YAML: " + error.msg);
  }
}

}  // namespace berth::settings
