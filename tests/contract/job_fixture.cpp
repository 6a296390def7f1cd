#include "tests/contract/job_fixture.hpp"

#include "tests/support/minimal_payload.hpp"

#include <fstream>

namespace berth::tests {
namespace {

namespace runner = local::runner;

const std::filesystem::path k_bin = BERTH_TEST_BIN_DIR;
constexpr const char* k_helper =
    "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v19.4.0";

FakeEngine::Options engine_options(bool local) {
  FakeEngine::Options options;
  options.agent = k_bin / "berth-agent";
  options.local = local;
  options.images[k_helper] = {};
  options.images["debian:bookworm"] = {};
  options.images["postgres:15"] = {.exposed_ports = {"5432/tcp"}};
  options.images["ends:1"] = {.exits_at_once = 3, .log = "this entrypoint ends\n"};
  return options;
}

runner::Command program(const char* name, const std::filesystem::path& settings) {
  runner::Command command;
  command.program = k_bin / name;
  command.arguments = {"--settings", settings.string()};
  return command;
}

class Recorder final : public runner::Observer {
 public:
  using OnOutput = std::function<void(const std::string&, runner::Control&)>;
  Recorder(JobFixture::Outcome& outcome, runner::Control& control, const OnOutput& on_output)
      : m_outcome(outcome), m_control(control), m_on_output(on_output) {}

  void section_begin(std::string_view, std::string_view) override {}
  void section_end(std::string_view) override {}
  void output(runner::Program, std::string_view, runner::Stream, std::string_view bytes) override {
    m_outcome.log += bytes;
    if (m_on_output) m_on_output(m_outcome.log, m_control);
  }
  void note(runner::NoteLevel, std::string_view text) override {
    m_outcome.log.append(text) += '\n';
  }
  void call_ended(const runner::CallRecord& call) override {
    std::string name(to_string(call.program));
    if (call.program == runner::Program::run) name += " " + call.stage;
    m_outcome.calls.push_back(std::move(name));
  }

 private:
  JobFixture::Outcome& m_outcome;
  runner::Control& m_control;
  const OnOutput& m_on_output;
};

}  // namespace

JobFixture::JobFixture(bool local_engine) {
  const auto socket = m_folder.path() / "engine.sock";
  m_engine = std::make_unique<FakeEngine>(socket, engine_options(local_engine));
  const auto settings = m_folder.path() / "berth.yaml";
  std::ofstream(settings) << "state_dir: " << (m_folder.path() / "state").string()
                          << "\nconnection_timeout: 5\n"
                          << "docker:\n  host: " << m_engine->host()
                          << "\n  pull_policy: if-not-present\n";
  m_config.custom.config = program("berth-config", settings);
  m_config.custom.prepare = program("berth-prepare", settings);
  m_config.custom.run = program("berth-run", settings);
  m_config.custom.cleanup = program("berth-cleanup", settings);
  m_config.custom.graceful_kill_timeout = std::chrono::seconds{30};
  m_config.timing.preparation_retry = std::chrono::milliseconds{1};
  m_config.temp_root = m_folder.path();
  m_config.process_environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root", "TERM=dumb"};
}

runner::Payload JobFixture::job(std::vector<std::string> script,
                                std::vector<std::string> after_script) {
  runner::Payload payload = minimal_payload("contract", "debian:bookworm", std::move(script));
  if (!after_script.empty()) {
    runner::Step step;
    step.name = "after_script";
    step.script = std::move(after_script);
    step.when = "always";
    payload.steps.push_back(step);
  }
  return payload;
}

JobFixture::Outcome JobFixture::play(
    const runner::Payload& payload,
    const std::function<void(const std::string&, runner::Control&)>& on_output) {
  Outcome outcome;
  runner::Control control;
  Recorder recorder(outcome, control, on_output);
  outcome.result = runner::play(m_config, payload, control, recorder);
  return outcome;
}

std::vector<std::string> JobFixture::leftovers() const {
  std::vector<std::string> result = m_engine->containers();
  for (const std::string& name : m_engine->networks()) {
    if (name != "berth") result.push_back("network " + name);
  }
  for (const std::string& name : m_engine->volumes()) {
    const bool kept = name.starts_with("berth-agent-") || name.find("-cache") != std::string::npos;
    if (!kept) result.push_back("volume " + name);
  }
  return result;
}

}  // namespace berth::tests
