#include "executor/settings/patch_text.hpp"

#include "executor/settings/api_object.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

namespace berth::settings {
namespace {

using Type = PodSpecPatch::Type;

Type patch_type(const Reader& reader, const Value& value) {
  const std::string word = reader.text(value, "patch_type");
  if (word == "merge") return Type::merge;
  if (word == "json") return Type::json;
  if (word == "strategic") return Type::strategic;
  reader.bad_value(value, "patch_type", "merge, json or strategic");
}

/// Nothing where the value can be such a patch, else what it should have been.
std::string_view wrong_shape(const Value& value, Type type) {
  if (type == Type::json) {
    return value.kind == Value::Kind::list ? "" : "a list of operations (patch_type json)";
  }
  return value.kind == Value::Kind::map ? "" : "a map of what the pod's spec is to have";
}

PodSpecPatch read_patch(const Reader& reader, const Value& value) {
  PodSpecPatch patch;
  const Value* body = nullptr;
  if (value.kind != Value::Kind::map) reader.wrong_type(value, "pod_spec", "a list of maps");
  reader.map(value, "pod_spec",
             {{"name", [&](const Value& v) { patch.name = reader.text(v, "name"); }},
              {"patch_type", [&](const Value& v) { patch.type = patch_type(reader, v); }},
              {"patch_path",
               [&](const Value& v) {
                 patch.patch_path = reader.text(v, "patch_path");
                 if (!patch.patch_path.starts_with('/')) {
                   reader.bad_value(v, "patch_path", "an absolute path");
                 }
               }},
              {"patch", [&](const Value& v) { body = &v; }}});
  if ((body == nullptr) == patch.patch_path.empty()) {
    reader.fail(value.position, "'pod_spec' has an entry that needs 'patch' or 'patch_path'");
  }
  if (body == nullptr) return patch;
  if (body->kind == Value::Kind::scalar) {
    try {
      patch.patch = patch_text(body->scalar, "line", patch.type);
    } catch (const support::OperatorError& error) {
      reader.fail(body->position, fmt::format("'patch': {}", error.what()));
    }
    return patch;
  }
  const std::string_view expected = wrong_shape(*body, patch.type);
  if (!expected.empty()) reader.wrong_type(*body, "patch", expected);
  patch.patch = to_json_text(*body);
  return patch;
}

}  // namespace

std::vector<PodSpecPatch> read_pod_spec(const Reader& reader, const Value& value) {
  std::vector<PodSpecPatch> all;
  for (const Value& item : reader.list(value, "pod_spec")) all.push_back(read_patch(reader, item));
  return all;
}

std::string patch_text(std::string_view yaml, std::string_view name, PodSpecPatch::Type type) {
  const Value value = read_document(yaml, name);
  const std::string_view expected = wrong_shape(value, type);
  if (!expected.empty()) Reader(name).wrong_type(value, "the patch", expected);
  return to_json_text(value);
}

}  // namespace berth::settings
