#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::local::runner {
class Control;
}

namespace berth::bench {

/// Which programs play the driver.
struct Driver {
  std::string config;
  std::string prepare;
  std::string run;
  std::string cleanup;
  /// berth.yaml; empty: no arguments.
  std::filesystem::path settings;
  /// BERTH_TRACE of the programs; empty: none.
  std::filesystem::path trace;
};

/// The four programs in a folder.
Driver berth_in(const std::filesystem::path& bin);
/// Programs that do nothing: the protocol's floor.
Driver nothing();

/// One job: GIT_STRATEGY none and a script.
struct MinimalJob {
  std::string image;
  /// Images of its services.
  std::vector<std::string> services{};
  /// Public variables.
  std::vector<std::pair<std::string, std::string>> variables{};
  /// Of jobs that run at once, each has another.
  int slot = 0;
  std::string script = "true";
  /// Told of all output, on the job's thread; may be empty.
  std::function<void(std::string_view)> on_output{};
  /// By which another thread cancels it; a job that was is no failure.
  local::runner::Control* control = nullptr;
};

/// A script whose last act is to say when that was; Played::exit_lag is of it.
extern const char* const k_script_that_stamps_its_end;

/// Seconds, but for the points in time.
struct Played {
  using TimePoint = std::chrono::steady_clock::time_point;

  double total = 0;
  double prepare = 0;
  double stages = 0;
  double cleanup = 0;
  /// From the start of the first run_exec to its first byte.
  double first_byte = 0;
  /// From the stamp of the script's last act to the end of its run_exec.
  double exit_lag = 0;
  TimePoint first_byte_at{};
  TimePoint ended_at{};
};

/// Throws std::runtime_error with the log where the job does not succeed.
Played play_minimal(const Driver& driver, const MinimalJob& job);

}  // namespace berth::bench
