#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>

/// Internal to executor/environments/workloads: values out of objects of a server of
/// any version. What is missing or of another type is empty. Pure.
namespace berth::environments::workloads {

const nlohmann::json& member(const nlohmann::json& object, std::string_view key);
const nlohmann::json& items(const nlohmann::json& object, std::string_view key);
std::string word(const nlohmann::json& object, std::string_view key);
std::int64_t number(const nlohmann::json& object, std::string_view key, std::int64_t otherwise = 0);
bool is_true(const nlohmann::json& object, std::string_view key);
/// RFC 3339 as seconds since the epoch; 0 where it is none.
std::int64_t seconds(const nlohmann::json& object, std::string_view key);
/// The condition of that type of status.conditions, or an empty object.
const nlohmann::json& condition(const nlohmann::json& object, std::string_view type);
/// The owner that controls it (metadata.ownerReferences), or an empty object.
const nlohmann::json& controller(const nlohmann::json& object);

}  // namespace berth::environments::workloads
