#include "executor/docker/service_check.hpp"

#include "executor/docker/container_end.hpp"
#include "executor/sandbox/service_wait.hpp"

#include <fmt/format.h>

namespace berth::docker {
namespace {

sandbox::AwaitedService::Late about_late(Engine& engine, const StartedService& service,
                                         const std::stop_token& stop) {
  const auto info = engine.find_container(service.id, stop);
  return {.remark = info && !info->state.health.empty()
                        ? fmt::format(" (its HEALTHCHECK says {})", info->state.health)
                        : std::string(),
          .log = log_tail(engine, service.id, stop)};
}

}  // namespace

std::optional<std::string> words_of_end(Engine& engine, const StartedService& service,
                                        const std::stop_token& stop) {
  const auto end = find_end(engine, service.id, stop);
  if (!end) return std::nullopt;
  return sandbox::explain(*end) + sandbox::quote_log(end->log);
}

std::optional<std::string> address_of(Engine& engine, const StartedService& service,
                                      const std::string& network, core::Console& console,
                                      const std::stop_token& stop) {
  const auto info = engine.find_container(service.id, stop);
  const bool attached = info && (!service.address.empty() || info->networks.contains(network));
  if (!info || !info->state.running || !attached) {
    if (const auto words = words_of_end(engine, service, stop)) {
      sandbox::warn_of_ended_service(service.image, *words, console);
      return std::nullopt;
    }
  }
  if (!attached) return std::nullopt;
  if (!service.address.empty()) return service.address;
  const auto& endpoint = info->networks.at(network);
  const std::string& address =
      endpoint.ip_address.empty() ? endpoint.ipv6_address : endpoint.ip_address;
  if (!address.empty()) return address;
  console.warning(fmt::format("service '{}' has no address in the job's network: not waited for",
                              service.image));
  return std::nullopt;
}

void await_services(Engine& engine, const sandbox::ConnectHelper& connect,
                    const std::string& network, const std::vector<StartedService>& services,
                    std::chrono::milliseconds limit, core::Console& console, std::stop_token stop) {
  std::vector<sandbox::AwaitedService> awaited;
  for (const StartedService& service : services) {
    if (service.ports.empty()) {
      console.line(fmt::format("service '{}' exposes no port: not waited for", service.image));
      continue;
    }
    const auto address = address_of(engine, service, network, console, stop);
    if (!address) continue;
    awaited.push_back({.image = service.image,
                       .address = *address,
                       .ports = service.ports,
                       .ended = [&] { return words_of_end(engine, service, stop); },
                       .late = [&] { return about_late(engine, service, stop); }});
  }
  sandbox::await_services(connect, awaited, limit, console, stop);
}

}  // namespace berth::docker
