#include "executor/environments/workloads/json_reading.hpp"

#include <nlohmann/json.hpp>

#include <ctime>

namespace berth::environments::workloads {

using nlohmann::json;

const json& member(const json& object, std::string_view key) {
  static const json k_none = json::object();
  if (!object.is_object()) return k_none;
  const auto found = object.find(key);
  return found != object.end() ? *found : k_none;
}

const json& items(const json& object, std::string_view key) {
  static const json k_none = json::array();
  const json& value = member(object, key);
  return value.is_array() ? value : k_none;
}

std::string word(const json& object, std::string_view key) {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number(const json& object, std::string_view key, std::int64_t otherwise) {
  const json& value = member(object, key);
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

bool is_true(const json& object, std::string_view key) {
  const json& value = member(object, key);
  return value.is_boolean() && value.get<bool>();
}

std::int64_t seconds(const json& object, std::string_view key) {
  std::tm time{};
  if (::strptime(word(object, key).c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return 0;
  return static_cast<std::int64_t>(::timegm(&time));
}

const json& condition(const json& object, std::string_view type) {
  for (const json& one : items(member(object, "status"), "conditions")) {
    if (word(one, "type") == type) return one;
  }
  return member(object, "");
}

const json& controller(const json& object) {
  for (const json& owner : items(member(object, "metadata"), "ownerReferences")) {
    if (is_true(owner, "controller")) return owner;
  }
  return member(object, "");
}

}  // namespace berth::environments::workloads
