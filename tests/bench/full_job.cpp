#include "tests/bench/full_job.hpp"

#include "executor/process/process.hpp"
#include "tests/bench/measure.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace berth::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_pipeline = R"(
stages: [one, two]
.job:
  image: debian:bookworm
  services:
    - name: busybox:latest
      alias: web
      command: [httpd, -f, -p, "8080"]
      variables: {HEALTHCHECK_TCP_PORT: "8080"}
  cache: {key: bench, paths: [cached/]}
  artifacts: {paths: [made/]}
  script:
    - mkdir -p cached made
    - echo "$CI_JOB_NAME" > cached/last
    - echo "$CI_JOB_NAME" > "made/$CI_JOB_NAME"
first: {extends: .job, stage: one}
second: {extends: .job, stage: two}
)";

void require(const std::vector<std::string>& argv, const fs::path& trace = {}) {
  const process::ProcessSpec spec{.argv = argv,
                                  .env = {{"BERTH_TRACE", trace.string()}},
                                  .timeout = std::chrono::minutes(5),
                                  .max_output = std::size_t{8} << 20};
  const auto result = process::make_process_runner()->run(spec, {});
  if (result.success()) return;
  throw std::runtime_error(
      fmt::format("{} failed:\n{}{}", argv.front(), result.output.expose(), result.errors));
}

}  // namespace

FullJobs::FullJobs(fs::path bin, fs::path folder)
    : m_bin(std::move(bin)),
      m_project(folder / "project"),
      m_report(folder / "report.json"),
      m_trace(folder / "full-calls") {
  fs::create_directories(m_project);
  std::ofstream(m_project / ".gitlab-ci.yml") << k_pipeline;
  const std::vector<std::string> git = {
      "git", "-C", m_project.string(), "-c", "user.name=bench", "-c", "user.email=bench@localhost"};
  const auto run_git = [&git](const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = git;
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    require(argv);
  };
  run_git({"init", "--quiet", "--initial-branch=main"});
  run_git({"add", "--all"});
  run_git({"commit", "--quiet", "--message=Bench"});
}

std::size_t FullJobs::run(bool both) {
  fs::remove(m_trace);
  std::vector<std::string> argv = {(m_bin / "berth").string(),
                                   "local",
                                   "--file",
                                   (m_project / ".gitlab-ci.yml").string(),
                                   "--report",
                                   m_report.string()};
  if (!both) argv.emplace_back("first");
  require(argv, m_trace);
  return count_lines(m_trace);
}

FullJob FullJobs::play() {
  run(true);
  const auto report = nlohmann::json::parse(std::ifstream(m_report));
  const auto& second = report.at("jobs").at(1);
  return {.total = second.at("duration_s"), .driver = second.at("driver_s")};
}

double FullJobs::api_calls() {
  return static_cast<double>(run(true)) - static_cast<double>(run(false));
}

}  // namespace berth::bench
