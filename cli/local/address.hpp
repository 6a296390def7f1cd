#pragma once

#include "cli/local/runner/config.hpp"
#include "cli/local/runner/control.hpp"
#include "cli/local/runner/payload.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::local {

/// This machine's addresses that a container could reach: IPv4, then global
/// IPv6; bridges' and veths' first, loopback never.
std::vector<std::string> host_addresses();

/// An address as it stands in a URL: IPv6 in brackets.
std::string url_host(const std::string& address);

struct AddressQuestion {
  const runner::RunnerConfig& config;
  /// A job that has an image this machine can be expected to have.
  runner::Payload payload;
  std::vector<std::string> candidates;
  /// The candidate that an earlier run used: it is asked before the others, of
  /// which any may answer first. Empty: none.
  std::string known{};
  std::uint16_t port = 0;
  /// Path that answers any request.
  std::string path;
  /// Ends the trial early; cleanup still runs.
  runner::Control& control;
};

/// The first candidate that answers from where jobs' containers are: a sandbox
/// is made by the driver's own config and prepare, its agent is asked to PROBE
/// all candidates (over the helper's script where the agent's socket is not on
/// this machine), and cleanup removes it. Nothing where none answers or no
/// sandbox could be made; `explain` is told why.
std::string find_address(const AddressQuestion& question,
                         const std::function<void(std::string_view)>& explain);

}  // namespace berth::local
