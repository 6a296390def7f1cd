#include "executor/net/address.hpp"

#include <arpa/inet.h>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>

namespace berth::net {
namespace {

bool is_ours(std::uint32_t ipv4) {
  const std::uint32_t first = ipv4 >> 24U;
  constexpr std::uint32_t k_link_local = 0xa9fe;  // 169.254.0.0/16
  return first == 0 || first == 127 || ipv4 >> 16U == k_link_local;
}

bool is_ours(const in6_addr& ipv6) {
  if (IN6_IS_ADDR_LOOPBACK(&ipv6) || IN6_IS_ADDR_UNSPECIFIED(&ipv6) || IN6_IS_ADDR_LINKLOCAL(&ipv6))
    return true;
  if (!IN6_IS_ADDR_V4MAPPED(&ipv6) && !IN6_IS_ADDR_V4COMPAT(&ipv6)) return false;
  std::uint32_t last = 0;
  std::memcpy(&last, ipv6.s6_addr + 12, sizeof last);
  return is_ours(ntohl(last));
}

}  // namespace

bool is_this_machine(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof ipv4);
    return is_ours(ntohl(ipv4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof ipv6);
    return is_ours(ipv6.sin6_addr);
  }
  return false;
}

}  // namespace berth::net
