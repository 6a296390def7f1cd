#include "executor/settings/api_object.hpp"

#include "executor/settings/shared_keys.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdint>
#include <limits>
#include <vector>

namespace berth::settings {
namespace {

using nlohmann::json;

/// What stands under a key, and how the API calls it.
struct Shape {
  enum class Kind { text, integer, texts, text_map, object, objects };
  struct Field;
  Kind kind = Kind::text;
  // Without an initializer, which clang 14 would need Field for.
  std::vector<Field> fields;
};

struct Shape::Field {
  std::string_view key;
  const char* api;
  Shape shape{};
  bool required = false;
};

json read(const Reader& reader, const Value& value, std::string_view key, const Shape& shape);

json read_object(const Reader& reader, const Value& value, std::string_view key,
                 const Shape& shape) {
  json object = json::object();
  Reader::Handlers handlers;
  for (const Shape::Field& field : shape.fields) {
    handlers[field.key] = [&reader, &object, &field](const Value& v) {
      object[field.api] = read(reader, v, field.key, field.shape);
    };
  }
  if (value.kind != Value::Kind::map) reader.wrong_type(value, key, "a map");
  reader.map(value, key, handlers);
  for (const Shape::Field& field : shape.fields) {
    if (field.required && !object.contains(field.api)) {
      reader.fail(value.position, fmt::format("'{}' needs '{}'", key, field.key));
    }
  }
  return object;
}

json read(const Reader& reader, const Value& value, std::string_view key, const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::text:
      return reader.text(value, key);
    case Shape::Kind::integer:
      return reader.integer(value, key, 0, std::numeric_limits<std::int32_t>::max());
    case Shape::Kind::texts: {
      json list = json::array();
      // Values to match may be empty.
      for (const Value& item : reader.list(value, key)) {
        if (item.kind != Value::Kind::scalar) reader.wrong_type(item, key, "a string");
        list.push_back(item.scalar);
      }
      return list;
    }
    case Shape::Kind::text_map:
      return read_text_map(reader, value, key);
    case Shape::Kind::object:
      return read_object(reader, value, key, shape);
    case Shape::Kind::objects: {
      json list = json::array();
      for (const Value& item : reader.list(value, key)) {
        list.push_back(read_object(reader, item, key, shape));
      }
      return list;
    }
  }
  return {};
}

using Kind = Shape::Kind;
using Fields = std::vector<Shape::Field>;

Shape object(Fields fields) {
  return {.kind = Kind::object, .fields = std::move(fields)};
}
Shape objects(Fields fields) {
  return {.kind = Kind::objects, .fields = std::move(fields)};
}
Shape plain(Kind kind) {
  return {.kind = kind, .fields = {}};
}

constexpr std::string_view k_required_key = "required_during_scheduling_ignored_during_execution";
constexpr const char* k_required_api = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view k_preferred_key = "preferred_during_scheduling_ignored_during_execution";
constexpr const char* k_preferred_api = "preferredDuringSchedulingIgnoredDuringExecution";

Shape affinity_shape() {
  const Shape requirements = objects({{"key", "key", {}, true},
                                      {"operator", "operator", {}, true},
                                      {"values", "values", plain(Kind::texts)}});
  const Fields node_term{{"match_expressions", "matchExpressions", requirements},
                         {"match_fields", "matchFields", requirements}};
  const Shape selector = object({{"match_labels", "matchLabels", plain(Kind::text_map)},
                                 {"match_expressions", "matchExpressions", requirements}});
  const Fields pod_term{{"label_selector", "labelSelector", selector},
                        {"namespaces", "namespaces", plain(Kind::texts)},
                        {"topology_key", "topologyKey", {}, true},
                        {"namespace_selector", "namespaceSelector", selector},
                        {"match_label_keys", "matchLabelKeys", plain(Kind::texts)},
                        {"mismatch_label_keys", "mismatchLabelKeys", plain(Kind::texts)}};
  const Shape pods =
      object({{k_required_key, k_required_api, objects(pod_term)},
              {k_preferred_key, k_preferred_api,
               objects({{"weight", "weight", plain(Kind::integer), true},
                        {"pod_affinity_term", "podAffinityTerm", object(pod_term), true}})}});
  const Shape nodes =
      object({{k_required_key, k_required_api,
               object({{"node_selector_terms", "nodeSelectorTerms", objects(node_term), true}})},
              {k_preferred_key, k_preferred_api,
               objects({{"weight", "weight", plain(Kind::integer), true},
                        {"preference", "preference", object(node_term), true}})}});
  return object({{"node_affinity", "nodeAffinity", nodes},
                 {"pod_affinity", "podAffinity", pods},
                 {"pod_anti_affinity", "podAntiAffinity", pods}});
}

Shape lifecycle_shape() {
  const Shape headers = objects({{"name", "name", {}, true}, {"value", "value", {}, true}});
  const Shape handler =
      object({{"exec", "exec", object({{"command", "command", plain(Kind::texts), true}})},
              {"http_get", "httpGet",
               object({{"host", "host"},
                       {"http_headers", "httpHeaders", headers},
                       {"path", "path"},
                       {"port", "port", plain(Kind::integer), true},
                       {"scheme", "scheme"}})},
              {"tcp_socket", "tcpSocket",
               object({{"host", "host"}, {"port", "port", plain(Kind::integer), true}})}});
  return object({{"post_start", "postStart", handler}, {"pre_stop", "preStop", handler}});
}

Shape dns_shape() {
  return object(
      {{"nameservers", "nameservers", plain(Kind::texts)},
       {"searches", "searches", plain(Kind::texts)},
       {"options", "options", objects({{"name", "name", {}, true}, {"value", "value"}})}});
}

std::string text_of(const json& object) {
  return object.empty() ? std::string() : object.dump();
}

json number_or_text(const std::string& text) {
  const char* last = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto [end, error] = std::from_chars(text.data(), last, integer);
      error == std::errc() && end == last) {
    return integer;
  }
  // from_chars takes "inf" and "nan", which are no numbers in YAML.
  if (text.find_first_not_of("0123456789.eE+-") != std::string::npos) return text;
  double real = 0;
  if (const auto [end, error] = std::from_chars(text.data(), last, real);
      error == std::errc() && end == last) {
    return real;
  }
  return text;
}

json to_json(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return nullptr;
    case Value::Kind::scalar:
      break;
    case Value::Kind::list: {
      json list = json::array();
      for (const Value& item : value.items) list.push_back(to_json(item));
      return list;
    }
    case Value::Kind::map: {
      json map = json::object();
      for (const Value::Entry& entry : value.entries) map[entry.key] = to_json(entry.value);
      return map;
    }
  }
  const std::string& text = value.scalar;
  if (value.quoted) return text;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return number_or_text(text);
}

}  // namespace

std::string read_affinity(const Reader& reader, const Value& value) {
  static const Shape shape = affinity_shape();
  return text_of(read(reader, value, "affinity", shape));
}

std::string read_dns_config(const Reader& reader, const Value& value) {
  static const Shape shape = dns_shape();
  return text_of(read(reader, value, "dns_config", shape));
}

std::string read_lifecycle(const Reader& reader, const Value& value) {
  static const Shape shape = lifecycle_shape();
  return text_of(read(reader, value, "container_lifecycle", shape));
}

std::string to_json_text(const Value& value) {
  return to_json(value).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace berth::settings
