#include "tests/bench/played_job.hpp"

#include "cli/local/runner/play.hpp"
#include "tests/support/minimal_payload.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace berth::bench {
namespace {

namespace runner = local::runner;
using Clock = std::chrono::steady_clock;

double between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

class Watcher final : public runner::Observer {
 public:
  void section_begin(std::string_view, std::string_view) override {}
  void section_end(std::string_view) override {}
  void output(runner::Program program, std::string_view, runner::Stream,
              std::string_view bytes) override {
    if (program == runner::Program::run && first_byte == Clock::time_point{}) {
      first_byte = Clock::now();
    }
    log += bytes;
  }
  void note(runner::NoteLevel, std::string_view text) override { log.append(text) += '\n'; }
  void call_ended(const runner::CallRecord&) override {}

  Clock::time_point first_byte{};
  std::string log;
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

runner::Payload payload_of(const std::string& image) {
  runner::Payload payload = tests::minimal_payload("minimal", image, {"true"});
  payload.image.pull_policy = {"if-not-present"};
  runner::Variable path;
  path.key = "CI_PROJECT_PATH";
  path.value = "group/project";
  payload.variables.push_back(path);
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

Played play_minimal(const Driver& driver, const std::string& image, int slot) {
  const runner::RunnerConfig config = configure(driver, slot);
  runner::Control control;
  Watcher watcher;
  Played played;
  const auto begin = Clock::now();
  const runner::JobResult result = runner::play(config, payload_of(image), control, watcher);
  played.total = between(begin, Clock::now());
  if (result.state != runner::JobState::success) {
    throw std::runtime_error(fmt::format("the job failed: {}\n{}", result.message, watcher.log));
  }
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
        break;
    }
  }
  return played;
}

}  // namespace berth::bench
