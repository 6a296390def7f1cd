#include "executor/docker/network_choice.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string_view>

namespace berth::docker {
namespace {

constexpr std::array<std::string_view, 3> k_local_hosts = {"localhost:", "127.0.0.1:", "[::1]:"};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

void find_ports(std::string_view text, std::vector<std::uint16_t>& ports) {
  for (const std::string_view host : k_local_hosts) {
    for (std::size_t at = text.find(host); at != std::string_view::npos;
         at = text.find(host, at + host.size())) {
      if (at > 0 && is_name_character(text[at - 1])) continue;
      std::uint16_t port = 0;
      const char* first = text.data() + at + host.size();
      const auto [end, error] = std::from_chars(first, text.data() + text.size(), port);
      if (error == std::errc() && port != 0) ports.push_back(port);
    }
  }
}

std::string called(const PortUser& service) {
  if (service.alias.empty()) return fmt::format("'{}'", service.image);
  return fmt::format("'{}' ({})", service.image, service.alias);
}

}  // namespace

std::vector<std::uint16_t> local_ports(const core::Job& job, const core::Variables& expanded) {
  std::vector<std::uint16_t> ports;
  for (const core::Variable& variable : job.variables.all()) {
    if (variable.key.starts_with("CI_") || variable.key.starts_with("GITLAB_")) continue;
    find_ports(expanded.get(variable.key), ports);
  }
  return ports;
}

bool wants_any(const std::vector<PortUser>& services, const std::vector<std::uint16_t>& ports) {
  return std::any_of(services.begin(), services.end(), [&](const PortUser& service) {
    return std::any_of(service.ports.begin(), service.ports.end(), [&](std::uint16_t port) {
      return std::find(ports.begin(), ports.end(), port) != ports.end();
    });
  });
}

void require_ports_apart(const std::vector<PortUser>& services) {
  std::map<std::uint16_t, const PortUser*> owners;
  for (const PortUser& service : services) {
    for (const std::uint16_t port : service.ports) {
      const auto [known, fresh] = owners.try_emplace(port, &service);
      if (fresh || known->second == &service) continue;
      throw support::JobError(
          fmt::format("services {} and {} both want port {}, and share the job's network namespace",
                      called(*known->second), called(service), port),
          "let one of them listen elsewhere, or have each at its own address: write the "
          "service's alias in place of localhost into the job's variables");
    }
  }
}

}  // namespace berth::docker
