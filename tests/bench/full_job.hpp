#pragma once

#include <cstddef>
#include <filesystem>

namespace berth::bench {

struct FullJob {
  /// The whole job, in seconds.
  double total = 0;
  /// config, prepare, cleanup, and the CPU time of the stages: what is left of
  /// `total` is git's, the helper's and the script's work.
  double driver = 0;
};

/// A project whose jobs clone over HTTP, have one service, a cache and artifacts.
class FullJobs {
 public:
  /// `bin` holds `berth` and the four programs; the project is made in `folder`.
  FullJobs(std::filesystem::path bin, std::filesystem::path folder);

  /// Plays two such jobs by `berth local` and tells of the second, which finds
  /// the first one's cache and artifacts. Throws std::runtime_error where the
  /// pipeline fails.
  FullJob play();

  /// Engine calls that one job costs: the difference of two pipelines, because
  /// `berth local` makes some of its own.
  double api_calls();

 private:
  /// Returns the number of engine calls.
  std::size_t run(bool both);

  std::filesystem::path m_bin;
  std::filesystem::path m_project;
  std::filesystem::path m_report;
  std::filesystem::path m_trace;
};

}  // namespace berth::bench
