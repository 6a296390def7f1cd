#pragma once

#include "cli/local/status.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace berth::local {

/// What became of one job, for the table and the report.
struct JobReport {
  std::string name;
  std::string stage;
  Status status = Status::created;
  bool allow_failure = false;
  /// Of the script; nothing where it did not come to one.
  std::optional<int> exit_code = std::nullopt;
  std::string failure_reason{};
  /// From the first start of a program to the end of cleanup, of the last try.
  std::chrono::duration<double> duration{0};
  /// The driver's own share: the time in config, prepare and cleanup (pulls and
  /// waits for services included), and the processor time of every berth-run.
  std::chrono::duration<double> driver{0};
  int tries = 0;
  /// Empty where it never ran.
  std::filesystem::path log{};
};

/// {status, jobs: [{name, stage, status, allow_failure, exit_code,
/// failure_reason, duration_s, driver_s, log}]}; exit_code, failure_reason and
/// log are null where there is none.
std::string report_json(Status status, const std::vector<JobReport>& jobs);

/// The closing table: a line per job, columns aligned. `style` colours a state.
std::string table(const std::vector<JobReport>& jobs, bool colours);

}  // namespace berth::local
