#pragma once

#include <filesystem>
#include <string>

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

struct Played {
  double total = 0;
  double prepare = 0;
  double stages = 0;
  double cleanup = 0;
  /// From the start of the first run_exec to its first byte.
  double first_byte = 0;
};

/// One minimal job without services: GIT_STRATEGY none, script `true`. Throws
/// std::runtime_error with the log where the job does not succeed.
Played play_minimal(const Driver& driver, const std::string& image, int slot);

}  // namespace berth::bench
