#pragma once

#include "executor/settings/kubernetes.hpp"
#include "executor/settings/reader.hpp"

#include <string_view>

namespace berth::settings {

/// `pod_security_context`
PodSecurity read_pod_security(const Reader& reader, const Value& value, std::string_view key);

/// `<build|helper|service|init_permissions>_container_security_context`
ContainerSecurity read_container_security(const Reader& reader, const Value& value,
                                          std::string_view key);

}  // namespace berth::settings
