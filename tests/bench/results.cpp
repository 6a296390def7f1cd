#include "tests/bench/results.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace berth::bench {

void report(const Results& results, const std::filesystem::path& file) {
  nlohmann::json all;
  fmt::print("{:<68} {:>9} {:>9}\n", "seconds", "p50", "p95");
  for (const auto& [name, samples] : results.samples) {
    fmt::print("{:<68} {:>9.4f} {:>9.4f}\n", name, samples.quantile(0.5), samples.quantile(0.95));
    all["samples"][name] = samples.all();
  }
  fmt::print("\n");
  for (const auto& [name, value] : results.values) {
    fmt::print("{:<68} {:>9.2f}\n", name, value);
    all["values"][name] = value;
  }
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << all.dump(2) << '\n';
}

}  // namespace berth::bench
