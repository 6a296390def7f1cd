#include "executor/kubernetes/service_ports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace berth::kubernetes {
namespace {

std::string called(const KnownService& service) {
  if (service.alias.empty()) return fmt::format("'{}'", service.image);
  return fmt::format("'{}' ({})", service.image, service.alias);
}

/// "'a' and 'b'", "'a', 'b' and 'c'"
std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace

std::vector<std::string> contested_ports(const std::vector<KnownService>& services) {
  std::map<std::uint16_t, std::vector<std::string>> wanted;
  for (const KnownService& service : services) {
    std::vector<std::uint16_t> ports = service.ports;
    std::sort(ports.begin(), ports.end());
    ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
    for (const std::uint16_t port : ports) wanted[port].push_back(called(service));
  }
  std::vector<std::string> lines;
  for (const auto& [port, names] : wanted) {
    if (names.size() < 2) continue;
    lines.push_back(
        fmt::format("services {} want port {}, and all containers of a pod share one network: only "
                    "one of them can have it; give the others another port by their `variables` or "
                    "`command` (and HEALTHCHECK_TCP_PORT, to wait for it)",
                    list(names), port));
  }
  return lines;
}

std::string port_taken_hint(std::string_view log) {
  // What strerror(EADDRINUSE) is in glibc and musl, and what runtimes make of it.
  constexpr std::array<std::string_view, 4> k_words = {"address already in use", "address in use",
                                                       "eaddrinuse", "port is already in use"};
  std::string text(log);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool taken = std::any_of(k_words.begin(), k_words.end(), [&](std::string_view words) {
    return text.find(words) != std::string::npos;
  });
  if (!taken) return {};
  return "\nits port is taken: all containers of a pod share one network; give it a port that no "
         "other service has";
}

}  // namespace berth::kubernetes
