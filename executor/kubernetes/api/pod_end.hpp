#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

/// Internal to executor/kubernetes/api. Pure.
namespace berth::kubernetes {

/// Words on why nothing can be reached in this container any more, from the pod's
/// object; nothing while it runs or may still come to run.
std::optional<std::string> why_ended(const nlohmann::json& pod, std::string_view container,
                                     std::string_view uid);

}  // namespace berth::kubernetes
