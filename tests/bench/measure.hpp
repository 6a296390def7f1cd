#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace berth::bench {

/// Seconds, one per run.
class Samples {
 public:
  void add(double seconds) { m_all.push_back(seconds); }
  /// 0.5 is the median; 0 where there are no samples.
  double quantile(double q) const;
  const std::vector<double>& all() const { return m_all; }

 private:
  std::vector<double> m_all;
};

/// How long the call takes, in seconds.
double seconds_of(const std::function<void()>& work);

std::size_t count_lines(const std::filesystem::path& file);

/// CPU seconds that all processes of this machine have used so far.
double machine_cpu_seconds();

}  // namespace berth::bench
