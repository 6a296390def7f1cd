#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What becomes of services that want one port: all containers of a pod share one
/// network, where each has an address of its own on a Docker engine. Pure.
namespace berth::kubernetes {

struct KnownService {
  /// As the job's author wrote it.
  std::string image{};
  /// The last name it answers to: two services may have one image.
  std::string alias{};
  /// Empty: nothing is known of it.
  std::vector<std::uint16_t> ports{};
};

/// A sentence for each port that more than one service is known to want, in the
/// order of the ports. One that is not ready is no longer told by its port then:
/// the other one answers.
std::vector<std::string> contested_ports(const std::vector<KnownService>& services);

/// What else is to be said of a service that has ended, from its last lines: that
/// another container had its port. Begins with a line end; empty where they say
/// nothing of it.
std::string port_taken_hint(std::string_view log);

}  // namespace berth::kubernetes
