#include "executor/net/address.hpp"
#include "tests/support/catch.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/un.h>

using namespace berth;

namespace {

bool is_here(const char* text) {
  sockaddr_storage storage{};
  sockaddr_in ipv4{};
  sockaddr_in6 ipv6{};
  if (::inet_pton(AF_INET, text, &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    std::memcpy(&storage, &ipv4, sizeof ipv4);
  } else {
    REQUIRE(::inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1);
    ipv6.sin6_family = AF_INET6;
    std::memcpy(&storage, &ipv6, sizeof ipv6);
  }
  return net::is_this_machine(reinterpret_cast<const sockaddr&>(storage));
}

}  // namespace

TEST_CASE("addresses that stay on this machine or its link") {
  for (const char* one :
       {"127.0.0.1", "127.255.255.255", "0.0.0.0", "0.1.2.3", "169.254.169.254", "::1",
        "::", "fe80::1", "febf::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"}) {
    INFO(one);
    CHECK(is_here(one));
  }
  for (const char* one :
       {"10.0.0.1", "1.0.0.127", "126.255.255.255", "128.0.0.0", "169.253.0.1", "169.255.0.1",
        "192.168.0.1", "2001:db8::1", "fec0::1", "fd00::1", "::ffff:10.0.0.1", "::10.0.0.1"}) {
    INFO(one);
    CHECK_FALSE(is_here(one));
  }
  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  CHECK_FALSE(net::is_this_machine(reinterpret_cast<const sockaddr&>(path)));
}
