#include "tests/bench/docker_bench.hpp"

#include "executor/docker/engine/engine.hpp"
#include "tests/bench/bare_engine.hpp"
#include "tests/bench/daemon_job.hpp"
#include "tests/bench/full_job.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/played_job.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iomanip>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace berth::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_image = "debian:bookworm";
constexpr const char* k_helper =
    "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v19.4.0";
constexpr int k_at_once = 8;
constexpr int k_jobs_each = 5;

fs::path write_settings(const fs::path& folder) {
  const fs::path file = folder / "berth.yaml";
  std::ofstream(file) << "docker:\n  pull_policy: if-not-present\n  services_privileged: true\n";
  return file;
}

void measure_one_by_one(docker::Engine& engine, const Driver& driver, int runs, Results& results) {
  play_minimal(driver, {.image = k_image});  // fills caches: the agent's volume, the bridge
  for (int run = 0; run < runs; ++run) {
    results.samples["bare engine calls"].add(
        seconds_of([&] { bare_container_work(engine, k_helper, k_image); }));
    results.samples["floor: programs that do nothing"].add(
        play_minimal(nothing(), {.image = k_image}).total);
    Driver traced = driver;
    traced.trace = driver.settings.parent_path() / "calls";
    fs::remove(traced.trace);
    const Played played = play_minimal(traced, {.image = k_image});
    results.samples["minimal job"].add(played.total);
    results.samples["  config and prepare"].add(played.prepare);
    results.samples["  four stages"].add(played.stages);
    results.samples["  cleanup"].add(played.cleanup);
    results.samples["  first byte of a stage"].add(played.first_byte);
    results.values["API calls of a minimal job"] = static_cast<double>(count_lines(traced.trace));
  }
}

void measure_full_jobs(const fs::path& bin, const fs::path& folder, int runs, Results& results) {
  FullJobs jobs(bin, folder);
  for (int run = 0; run < runs; ++run) {
    const FullJob job = jobs.play();
    results.samples["full job"].add(job.total);
    results.samples["full job, without git, helper and script"].add(job.driver);
  }
  results.values["API calls of a full job"] = jobs.api_calls();
}

/// What `work`, which is given its slot, costs when 8 do it side by side.
void measure_at_once(const std::string& name, const std::function<void(int)>& work,
                     Results& results) {
  const double cpu_before = machine_cpu_seconds();
  const double wall = seconds_of([&] {
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
      (machine_cpu_seconds() - cpu_before) / jobs;
}

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

/// Seconds from a container's start, as its engine tells it (RFC 3339, UTC), to now.
double seconds_since(const std::string& started_at) {
  std::tm parts{};
  std::istringstream text(started_at);
  text >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S");
  double fraction = 0;
  if (text.peek() == '.') text >> fraction;
  const double started = static_cast<double>(::timegm(&parts)) + fraction;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count() - started;
}

}  // namespace

Results measure_docker_daemons(const fs::path& bin, const fs::path& folder, int runs) {
  docker::Engine engine(docker::resolve_address({}, environment));
  Driver driver = berth_in(bin);
  driver.settings = write_settings(folder);
  Results results;
  play_minimal(driver, {.image = k_image});
  for (int run = 0; run < runs; ++run) {
    for (const DaemonMode& mode : daemon_modes()) {
      double took = 0;
      const auto begin = std::chrono::steady_clock::now();
      const auto usable = play_with_daemon(driver, mode, [&] {
        for (const auto& one : engine.list_containers(
                 {"berth.attempt", "com.gitlab.gitlab-runner.type=service"}, {})) {
          const auto info = engine.find_container(one.id, {});
          if (info && info->state.running) took = seconds_since(info->state.started_at);
        }
      });
      results.samples["daemon's start to the client's first try, " + mode.name].add(took);
      results.samples["job's start to the client's first try, " + mode.name].add(
          std::chrono::duration<double>(usable - begin).count());
    }
    results.samples["minimal job"].add(play_minimal(driver, {.image = k_image}).total);
  }
  for (const DaemonMode& mode : daemon_modes()) {
    results.values["median seconds to a usable daemon, " + mode.name] =
        results.samples.at("daemon's start to the client's first try, " + mode.name).quantile(0.5);
  }
  return results;
}

Results measure_docker(const fs::path& bin, const fs::path& folder, int runs) {
  docker::Engine engine(docker::resolve_address({}, environment));
  Driver driver = berth_in(bin);
  driver.settings = write_settings(folder);
  Results results;
  measure_one_by_one(engine, driver, runs, results);
  measure_full_jobs(bin, folder, runs, results);
  measure_at_once(
      "bare container works", [&](int) { bare_container_work(engine, k_helper, k_image); },
      results);
  measure_at_once(
      "minimal jobs", [&](int slot) { play_minimal(driver, {.image = k_image, .slot = slot}); },
      results);
  results.values["minimal job / bare engine calls"] =
      results.samples.at("minimal job").quantile(0.5) /
      results.samples.at("bare engine calls").quantile(0.5);
  return results;
}

}  // namespace berth::bench
