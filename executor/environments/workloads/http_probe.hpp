#pragma once

#include <chrono>
#include <stop_token>
#include <string>

namespace berth::environments::workloads {

struct HttpProbe {
  /// http or https; empty: no probe.
  std::string url{};
  /// Status codes that are good.
  int least = 200;
  int most = 399;
  /// One try.
  std::chrono::milliseconds patience{5000};
};

struct ProbeAnswer {
  bool good = false;
  /// "GET https://app.example.com/health: 503"
  std::string text{};
};

/// Asks once. Redirects are answers, not followed. Throws support::Cancelled, and
/// support::OperatorError for a URL that is none.
ProbeAnswer ask(const HttpProbe& probe, std::stop_token stop);

}  // namespace berth::environments::workloads
