#pragma once

#include "tests/bench/measure.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace berth::bench {

/// What one run of a benchmark came to, by name.
struct Results {
  std::map<std::string, Samples> samples;
  std::map<std::string, double> values;
};

/// Prints a table and writes the same as JSON, every sample of it.
void report(const Results& results, const std::filesystem::path& file);

}  // namespace berth::bench
