#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Which ports say that a service is ready. Pure.
namespace berth::sandbox {

/// TCP ports of one service; it is ready when any of them answers. Empty: there
/// is nothing to wait for.
///
///   1. HEALTHCHECK_TCP_PORT of the service's environment (a number),
///   2. the port a well-known image is used by, where the image exposes that
///      port or none at all,
///   3. the TCP ports the image exposes, the lowest 20 (the built-in executor's
///      limit).
///
/// `environment`: KEY=value; the last definition of a key counts.
std::vector<std::uint16_t> readiness_ports(std::string_view image,
                                           const std::vector<std::string>& environment,
                                           std::vector<std::uint16_t> exposed);

}  // namespace berth::sandbox
