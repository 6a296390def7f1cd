#include "executor/docker/engine/engine.hpp"
#include "tests/bench/bare_engine.hpp"
#include "tests/bench/full_job.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/played_job.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

/// berth-bench BIN_DIR OUTPUT.json [RUNS]
namespace {

namespace fs = std::filesystem;
using namespace berth;
using bench::Samples;

constexpr const char* k_image = "debian:bookworm";
constexpr const char* k_helper =
    "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v19.4.0";
constexpr int k_at_once = 8;
constexpr int k_jobs_each = 5;

struct Results {
  std::map<std::string, Samples> samples;
  std::map<std::string, double> values;
};

fs::path write_settings(const fs::path& folder) {
  const fs::path file = folder / "berth.yaml";
  std::ofstream(file) << "docker:\n  pull_policy: if-not-present\n";
  return file;
}

void measure_one_by_one(docker::Engine& engine, const bench::Driver& driver, int runs,
                        Results& results) {
  bench::play_minimal(driver, k_image, 0);  // fills caches: the agent's volume, the bridge
  for (int run = 0; run < runs; ++run) {
    results.samples["bare engine calls"].add(
        bench::seconds_of([&] { bench::bare_container_work(engine, k_helper, k_image); }));
    results.samples["floor: programs that do nothing"].add(
        bench::play_minimal(bench::nothing(), k_image, 0).total);
    bench::Driver traced = driver;
    traced.trace = driver.settings.parent_path() / "calls";
    fs::remove(traced.trace);
    const bench::Played played = bench::play_minimal(traced, k_image, 0);
    results.samples["minimal job"].add(played.total);
    results.samples["  config and prepare"].add(played.prepare);
    results.samples["  four stages"].add(played.stages);
    results.samples["  cleanup"].add(played.cleanup);
    results.samples["  first byte of a stage"].add(played.first_byte);
    results.values["API calls of a minimal job"] =
        static_cast<double>(bench::count_lines(traced.trace));
  }
}

void measure_full_jobs(const fs::path& bin, const fs::path& folder, int runs, Results& results) {
  bench::FullJobs jobs(bin, folder);
  for (int run = 0; run < runs; ++run) {
    const bench::FullJob job = jobs.play();
    results.samples["full job"].add(job.total);
    results.samples["full job, without git, helper and script"].add(job.driver);
  }
  results.values["API calls of a full job"] = jobs.api_calls();
}

/// What `work`, which is given its slot, costs when 8 do it side by side.
void measure_at_once(const std::string& name, const std::function<void(int)>& work,
                     Results& results) {
  const double cpu_before = bench::machine_cpu_seconds();
  const double wall = bench::seconds_of([&] {
    std::vector<std::jthread> workers;
    for (int slot = 0; slot < k_at_once; ++slot) {
      workers.emplace_back([&work, slot] {
        for (int job = 0; job < k_jobs_each; ++job) work(slot);
      });
    }
  });
  const double jobs = k_at_once * k_jobs_each;
  results.values["8 at once: " + name + " a minute"] = jobs * 60 / wall;
  results.values["8 at once: CPU seconds of one of the " + name + ", whole machine"] =
      (bench::machine_cpu_seconds() - cpu_before) / jobs;
}

void report(const Results& results, const fs::path& file) {
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
  const double ratio = results.samples.at("minimal job").quantile(0.5) /
                       results.samples.at("bare engine calls").quantile(0.5);
  fmt::print("{:<68} {:>9.2f}\n", "minimal job / bare engine calls", ratio);
  all["values"]["minimal job / bare engine calls"] = ratio;
  fs::create_directories(file.parent_path());
  std::ofstream(file) << all.dump(2) << '\n';
}

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: berth-bench BIN_DIR OUTPUT.json [RUNS]\n");
    return 2;
  }
  try {
    const fs::path folder = fs::temp_directory_path() / fmt::format("berth-bench-{}", ::getpid());
    fs::create_directories(folder);
    docker::Engine engine(docker::resolve_address({}, environment));
    bench::Driver driver = bench::berth_in(argv[1]);
    driver.settings = write_settings(folder);
    Results results;
    const int runs = argc > 3 ? std::atoi(argv[3]) : 15;
    measure_one_by_one(engine, driver, runs, results);
    measure_full_jobs(argv[1], folder, runs, results);
    measure_at_once(
        "bare container works", [&](int) { bench::bare_container_work(engine, k_helper, k_image); },
        results);
    measure_at_once(
        "minimal jobs", [&](int slot) { bench::play_minimal(driver, k_image, slot); }, results);
    report(results, argv[2]);
    fs::remove_all(folder);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "berth-bench: {}\n", error.what());
    return 1;
  }
}
