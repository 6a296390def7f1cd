#include "tests/bench/played_job.hpp"

#include "cli/local/runner/play.hpp"
#include "tests/support/minimal_payload.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>

namespace berth::bench {
namespace {

namespace runner = local::runner;
using Clock = std::chrono::steady_clock;

double between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

constexpr std::string_view k_stamp = "berth-bench-end=";

/// Nanoseconds of the wall clock, as the script printed them; 0 where it did not.
std::int64_t stamp_in(const std::string& log) {
  const std::size_t at = log.rfind(k_stamp);
  return at == std::string::npos ? 0 : std::strtoll(log.c_str() + at + k_stamp.size(), nullptr, 10);
}

std::int64_t wall_nanoseconds(Clock::time_point at) {
  using std::chrono::nanoseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<nanoseconds>(now - (Clock::now() - at)).count();
}

class Watcher final : public runner::Observer {
 public:
  explicit Watcher(const std::function<void(std::string_view)>& on_output)
      : m_on_output(on_output) {}

  void section_begin(std::string_view, std::string_view) override {}
  void section_end(std::string_view) override {}
  void output(runner::Program program, std::string_view, runner::Stream,
              std::string_view bytes) override {
    if (program == runner::Program::run && first_byte == Clock::time_point{}) {
      first_byte = Clock::now();
    }
    log += bytes;
    if (m_on_output) m_on_output(bytes);
  }
  void note(runner::NoteLevel, std::string_view text) override { log.append(text) += '\n'; }
  void call_ended(const runner::CallRecord&) override {}

  Clock::time_point first_byte{};
  std::string log;

 private:
  const std::function<void(std::string_view)>& m_on_output;
};

runner::Command command(const std::string& program, const Driver& driver) {
  runner::Command result;
  result.program = program;
  if (!driver.settings.empty()) result.arguments = {"--settings", driver.settings.string()};
  return result;
}

runner::RunnerConfig configure(const Driver& driver, int slot) {
  runner::RunnerConfig config;
  config.builds_dir = "/builds";
  config.cache_dir = "/cache";
  config.concurrent_id = slot;
  config.concurrent_project_id = slot;
  for (char** entry = environ; *entry != nullptr; ++entry)
    config.process_environment.emplace_back(*entry);
  if (!driver.trace.empty())
    config.process_environment.push_back("BERTH_TRACE=" + driver.trace.string());
  config.custom.config = command(driver.config, driver);
  config.custom.prepare = command(driver.prepare, driver);
  config.custom.run = command(driver.run, driver);
  config.custom.cleanup = command(driver.cleanup, driver);
  return config;
}

runner::Payload payload_of(const MinimalJob& job) {
  runner::Payload payload = tests::minimal_payload("minimal", job.image, {job.script});
  payload.image.pull_policy = {"if-not-present"};
  runner::Variable path;
  path.key = "CI_PROJECT_PATH";
  path.value = "group/project";
  payload.variables.push_back(path);
  for (const auto& [key, value] : job.variables) {
    runner::Variable variable;
    variable.key = key;
    variable.value = value;
    variable.is_public = true;
    payload.variables.push_back(variable);
  }
  for (const std::string& name : job.services) {
    payload.services.push_back({.name = name, .pull_policy = {"if-not-present"}});
  }
  return payload;
}

}  // namespace

Driver berth_in(const std::filesystem::path& bin) {
  return {.config = bin / "berth-config",
          .prepare = bin / "berth-prepare",
          .run = bin / "berth-run",
          .cleanup = bin / "berth-cleanup",
          .settings = {},
          .trace = {}};
}

Driver nothing() {
  return {.config = "true",
          .prepare = "true",
          .run = "true",
          .cleanup = "true",
          .settings = {},
          .trace = {}};
}

const char* const k_script_that_stamps_its_end = "date +berth-bench-end=%s%N";

Played play_minimal(const Driver& driver, const MinimalJob& job) {
  const runner::RunnerConfig config = configure(driver, job.slot);
  runner::Control own;
  runner::Control& control = job.control != nullptr ? *job.control : own;
  Watcher watcher(job.on_output);
  Played played;
  const auto begin = Clock::now();
  const runner::JobResult result = runner::play(config, payload_of(job), control, watcher);
  played.ended_at = Clock::now();
  played.total = between(begin, played.ended_at);
  if (result.state == runner::JobState::failed) {
    throw std::runtime_error(fmt::format("the job failed: {}\n{}", result.message, watcher.log));
  }
  played.first_byte_at = watcher.first_byte;
  const std::int64_t stamp = stamp_in(watcher.log);
  bool first = true;
  for (const runner::CallRecord& call : result.calls) {
    const double took = between(call.started, call.ended);
    switch (call.program) {
      case runner::Program::config:
        played.prepare += took;
        break;
      case runner::Program::prepare:
        played.prepare += took;
        break;
      case runner::Program::cleanup:
        played.cleanup += took;
        break;
      case runner::Program::run:
        played.stages += took;
        if (first) played.first_byte = between(call.started, watcher.first_byte);
        first = false;
        if (wall_nanoseconds(call.started) <= stamp && stamp <= wall_nanoseconds(call.ended)) {
          played.exit_lag = static_cast<double>(wall_nanoseconds(call.ended) - stamp) / 1e9;
        }
        break;
    }
  }
  return played;
}

}  // namespace berth::bench
