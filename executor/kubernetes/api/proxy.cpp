#include "executor/kubernetes/api/proxy.hpp"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace berth::kubernetes {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// An address of either family in 16 bytes; IPv4 mapped into IPv6.
using Address = std::array<std::uint8_t, 16>;

std::optional<Address> parse_address(const std::string& text) {
  Address address{};
  if (in_addr v4{}; ::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    address[10] = address[11] = 0xff;
    const std::uint32_t number = ntohl(v4.s_addr);
    for (unsigned i = 0; i < 4; ++i)
      address[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    return address;
  }
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

bool is_loopback(const Address& address) {
  Address v6_loopback{};
  v6_loopback[15] = 1;
  const bool v4 = address[10] == 0xff && address[11] == 0xff && address[9] == 0;
  return address == v6_loopback || (v4 && address[12] == 127);
}

struct HostPort {
  std::string host;
  std::string port;
};

/// "host:port", "[v6]:port", "host", "v6"
HostPort split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return {std::string(text), {}};
    const std::string_view rest = text.substr(end + 1);
    return {std::string(text.substr(1, end - 1)),
            std::string(rest.starts_with(':') ? rest.substr(1) : "")};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
    return {std::string(text), {}};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

bool in_block(const Address& address, const std::string& block) {
  const std::size_t slash = block.find('/');
  const std::optional<Address> network = parse_address(block.substr(0, slash));
  unsigned bits = 0;
  const char* end = block.data() + block.size();
  const auto [at, error] = std::from_chars(block.data() + slash + 1, end, bits);
  if (!network || error != std::errc() || at != end) return false;
  if (block.find(':') == std::string::npos) bits += 96;
  if (bits > 128) return false;
  for (unsigned bit = 0; bit < bits; ++bit) {
    const unsigned shift = 7 - bit % 8;
    if (((address[bit / 8] ^ (*network)[bit / 8]) >> shift & 1U) != 0) return false;
  }
  return true;
}

bool excludes(const std::string& entry, const HostPort& target,
              const std::optional<Address>& address) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string::npos) return address && in_block(*address, entry);
  HostPort excluded = split(entry);
  if (excluded.host.empty() || (!excluded.port.empty() && excluded.port != target.port))
    return false;
  if (const std::optional<Address> other = parse_address(excluded.host))
    return address && *other == *address;
  std::string name = excluded.host.starts_with("*.") ? excluded.host.substr(1) : excluded.host;
  if (!name.starts_with('.')) {
    if (target.host == name) return true;
    name.insert(name.begin(), '.');
  }
  return target.host.ends_with(name);
}

std::string either(const settings::GetEnv& getenv, const char* upper, const char* small) {
  if (const auto value = getenv(upper); value && !value->empty()) return *value;
  return getenv(small).value_or("");
}

}  // namespace

support::Secret proxy_for(std::string_view url, const settings::GetEnv& getenv) {
  const bool tls = url.starts_with("https:");
  std::string proxy = tls ? either(getenv, "HTTPS_PROXY", "https_proxy")
                          : either(getenv, "HTTP_PROXY", "http_proxy");
  if (proxy.empty()) return {};
  const std::size_t start = url.find("//");
  std::string_view authority = start == std::string_view::npos ? url : url.substr(start + 2);
  authority = authority.substr(0, authority.find('/'));
  HostPort target = split(lower(authority));
  if (target.port.empty()) target.port = tls ? "443" : "80";
  const std::optional<Address> address = parse_address(target.host);
  if (target.host == "localhost" || (address && is_loopback(*address))) return {};

  const std::string list = lower(either(getenv, "NO_PROXY", "no_proxy"));
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    std::string entry = list.substr(at, comma - at);
    const std::size_t first = entry.find_first_not_of(" \t");
    entry = first == std::string::npos
                ? std::string()
                : entry.substr(first, entry.find_last_not_of(" \t") - first + 1);
    if (!entry.empty() && excludes(entry, target, address)) return {};
    at = comma + 1;
  }
  if (proxy.find("://") == std::string::npos) proxy = "http://" + proxy;
  return support::Secret(std::move(proxy));
}

}  // namespace berth::kubernetes
