#pragma once

#include "executor/core/planner.hpp"
#include "executor/settings/reader.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Keys that both backends' sections have.
namespace berth::settings {

/// `pull_policy` and `allowed_pull_policies`: a word, or a list that is not empty.
std::vector<std::string> read_pull_policies(const Reader& reader, const Value& value,
                                            std::string_view key);

/// `allowed_images` and `allowed_services`.
std::vector<std::string> read_globs(const Reader& reader, const Value& value, std::string_view key);

/// `services`
std::vector<core::DefaultService> read_services(const Reader& reader, const Value& value,
                                                const std::vector<std::string_view>& refused);

/// `wait_for_services_timeout`: as in the built-in executor, 0 leaves the default
/// and -1 means not to wait.
void read_services_timeout(const Reader& reader, const Value& value, core::Policy& policy);

/// `docker_in_docker`: auto, always or never.
void read_docker_in_docker(const Reader& reader, const Value& value, core::Policy& policy);

/// A map of texts, which may be empty.
std::map<std::string, std::string> read_text_map(const Reader& reader, const Value& value,
                                                 std::string_view key);

bool is_address(const std::string& text);

}  // namespace berth::settings
