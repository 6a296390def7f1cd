#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace berth::agent {

/// The name of the one variable that configures the agent.
inline constexpr const char* k_options_variable = "BERTH_AGENT";

/// What the agent is told when its container is made.
struct Options {
  /// Directory of the socket agent.sock.
  std::string run = "/.berth/run";
  /// File whose time of change tells that a driver lives; a directory (a mounted
  /// volume) holds it under the name "lease".
  std::string lease = "/.berth/lease";
  /// The container ends at this time, in seconds since 1970. 0: never.
  std::int64_t deadline = 0;
  /// The container ends when the lease was left alone for so long. 0: never.
  std::chrono::milliseconds orphan{std::chrono::minutes(15)};
  /// Between two PINGs, looks at the lease and at the deadline.
  std::chrono::milliseconds tick{std::chrono::seconds(10)};
  /// So many bytes are written beside the lease before the container ends for one of
  /// these reasons: more than its volume may hold, so that a kubelet evicts the whole
  /// pod, with the containers that have no agent. 0: none.
  std::int64_t overfill = 0;
  /// Fresh volumes that every user of the container may write to.
  std::vector<std::string> open;
  bool operator==(const Options&) const = default;
};

/// what() names the key and what is wrong with it.
class OptionsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads "run=/.berth/run;lease=/.berth/lease;deadline=<s>;orphan=<s>;open=/a:/b".
/// Every key is optional; `orphan` is in seconds or, with "ms" behind it, in
/// milliseconds; `tick` in milliseconds; `overfill` in bytes. Throws OptionsError.
Options parse_options(std::string_view text);

}  // namespace berth::agent
