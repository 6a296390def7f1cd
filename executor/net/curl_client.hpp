#pragma once

#include "executor/net/http.hpp"

/// Internal to executor/net.
namespace berth::net {

/// HttpClient::upgrade by libcurl (curl_upgrade.cpp).
Upgraded curl_upgrade(const HttpOptions& options, const HttpRequest& request,
                      std::chrono::steady_clock::time_point deadline, const std::stop_token& stop);

}  // namespace berth::net
