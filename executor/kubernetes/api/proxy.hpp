#pragma once

#include "executor/settings/settings.hpp"
#include "executor/support/secret.hpp"

#include <string_view>

namespace berth::kubernetes {

/// The proxy for a URL as Go's programs choose it, kubectl among them
/// (golang.org/x/net/http/httpproxy): HTTPS_PROXY or HTTP_PROXY by the URL's
/// scheme, upper case before lower; none for localhost, loopback addresses and
/// what NO_PROXY lists (names with their sub-domains, ".domain", addresses, CIDR
/// blocks, each with a port or without; "*"). "" for none. Pure.
support::Secret proxy_for(std::string_view url, const settings::GetEnv& getenv);

}  // namespace berth::kubernetes
