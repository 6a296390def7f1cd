#pragma once

#include "executor/support/secret.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace berth::process {

struct ProcessSpec {
  /// argv[0] is looked for in PATH unless it holds a '/'. Secrets never stand here.
  std::vector<std::string> argv{};
  /// Written to standard input, which is then closed.
  support::Secret input{};
  /// Added to (or replacing values of) this process's environment.
  std::vector<std::pair<std::string, std::string>> env{};
  std::chrono::milliseconds timeout{30000};
  /// Per stream; a process that writes more is killed.
  std::size_t max_output = std::size_t{1} << 20;
};

struct ProcessResult {
  /// Exactly one of the two is set, unless ended_by_us.
  std::optional<int> exit_code{};
  std::optional<int> signal{};
  enum class Ended { by_itself, timeout, output_limit };
  Ended ended = Ended::by_itself;
  support::Secret output{};
  std::string errors{};

  bool success() const noexcept { return ended == Ended::by_itself && exit_code == 0; }
};

/// Starts children and waits for them. Thread-safe. A child inherits standard
/// streams only, and is killed when this process dies.
class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  /// Throws support::SystemError when there is no such program or it cannot be
  /// started, support::Cancelled (child killed) when stop is requested.
  virtual ProcessResult run(const ProcessSpec& spec, std::stop_token stop) = 0;
};

std::unique_ptr<ProcessRunner> make_process_runner();

}  // namespace berth::process
