#include "cli/local/runner/attempt.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <fcntl.h>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::local::runner {
namespace {

std::filesystem::path make_directory(const std::filesystem::path& parent,
                                     const std::string& prefix) {
  std::string pattern = (parent / (prefix + "XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw support::SystemError(fmt::format("cannot make a temporary directory: \"{}\": {}",
                                           parent.string(), support::errno_text(errno)));
  }
  return pattern;
}

CallFailure system_failure(std::string message) {
  return {CallFailure::Kind::system, 0, std::move(message)};
}

Scope with_timeout(const Scope& scope, std::chrono::milliseconds timeout) {
  return scope.until(std::chrono::steady_clock::now() + timeout, Stop::program_timeout);
}

}  // namespace

Attempt::Attempt(BuildContext& context, const Control& control, Observer& observer,
                 std::vector<CallRecord>& calls, int number)
    : m_context(context),
      m_control(control),
      m_observer(observer),
      m_calls(calls),
      m_number(number),
      m_directory(make_directory(context.config().temp_root, k_tmpdir_prefix)),
      m_lock(::open(m_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      m_response_file(m_directory / "response.json"),
      m_exit_code_file(m_directory / "build_exit_code"),
      m_builds_dir(context.config().builds_dir),
      m_cache_dir(context.config().cache_dir) {
  ::flock(m_lock.get(), LOCK_EX);
  context.clear_directories();
  context.shell = context.config().shell;
  context.hostname.clear();
  support::write_file_atomically(m_response_file, response_file(context.payload()), 0600);
}

Attempt::~Attempt() {
  std::error_code ignored;
  if (!m_keep) std::filesystem::remove_all(m_directory, ignored);
}

void Attempt::keep() {
  m_keep = true;
  support::write_file_atomically(m_directory / k_kept_mark, "");
}

std::vector<std::string> Attempt::environment() const {
  std::vector<std::string> result = m_context.config().process_environment;
  result.insert(result.end(),
                {"TMPDIR=" + m_directory.string(), "BUILD_FAILURE_EXIT_CODE=1",
                 "SYSTEM_FAILURE_EXIT_CODE=2", "BUILD_EXIT_CODE_FILE=" + m_exit_code_file.string(),
                 "JOB_RESPONSE_FILE=" + m_response_file.string()});
  for (const auto& [key, value] : m_job_env) result.push_back(fmt::format("{}={}", key, value));
  for (const Variable& variable : m_context.variables().all()) {
    result.push_back(fmt::format("CUSTOM_ENV_{}={}", variable.key, variable.value));
  }
  result.push_back("CUSTOM_ENV_CI_JOB_SERVICES=" +
                   services_json(m_context.payload().services, m_context.variables()));
  return result;
}

CallRecord Attempt::call(Program program, const Command& command,
                         const std::vector<std::string>& extra, std::string_view stage,
                         const Scope& scope, const OnOutput& on_output) {
  ChildOptions options;
  options.arguments.push_back(command.program);
  options.arguments.insert(options.arguments.end(), command.arguments.begin(),
                           command.arguments.end());
  options.arguments.insert(options.arguments.end(), extra.begin(), extra.end());
  options.environment = environment();
  options.directory = m_directory;
  CallRecord record;
  record.program = program;
  record.stage = stage;
  record.attempt = m_number;
  run_call(options, m_context.config().custom, m_context.config().timing.wait_for_build_finish,
           m_control, scope, on_output, record);
  if (record.abandoned) {
    m_observer.note(NoteLevel::warning,
                    fmt::format("{}_exec outlived its job and is given up", to_string(program)));
  }
  m_calls.push_back(record);
  m_observer.call_ended(record);
  return record;
}

Attempt::OnOutput Attempt::forward(Program program, std::string stage) const {
  return [this, program, stage = std::move(stage)](Stream stream, std::string_view bytes) {
    m_observer.output(program, stage, stream, bytes);
  };
}

std::optional<CallFailure> Attempt::apply_config_output(const std::string& output) {
  if (output.empty()) return std::nullopt;
  const auto parsed = nlohmann::json::parse(output, nullptr, false);
  if (!parsed.is_object())
    return system_failure("error while parsing JSON output: not a JSON object");
  try {
    const auto text = [&parsed](const char* key, std::string& target) {
      if (parsed.contains(key) && !parsed.at(key).is_null())
        target = parsed.at(key).get<std::string>();
    };
    text("builds_dir", m_builds_dir);
    text("cache_dir", m_cache_dir);
    text("hostname", m_context.hostname);
    text("shell", m_context.shell);
    if (parsed.contains("builds_dir_is_shared"))
      m_shared_builds_dir = parsed.at("builds_dir_is_shared").get<bool>();
    if (parsed.contains("job_env"))
      m_job_env = parsed.at("job_env").get<std::map<std::string, std::string>>();
    std::string line = "Using Custom executor";
    if (parsed.contains("driver") && parsed.at("driver").contains("name")) {
      line += " with driver " + parsed.at("driver").at("name").get<std::string>();
      if (parsed.at("driver").contains("version")) {
        line += " " + parsed.at("driver").at("version").get<std::string>();
      }
    }
    m_observer.note(NoteLevel::plain, line + "...");
  } catch (const nlohmann::json::exception& error) {
    return system_failure(fmt::format("error while parsing JSON output: {}", error.what()));
  }
  return std::nullopt;
}

std::optional<CallFailure> Attempt::configure(const Scope& scope) {
  const CustomConfig& custom = m_context.config().custom;
  std::string output;
  if (!custom.config.empty()) {
    const auto on_output = [this, &output](Stream stream, std::string_view bytes) {
      if (stream == Stream::out) {
        output.append(bytes);
      } else {
        m_observer.output(Program::config, "config", stream, bytes);
      }
    };
    const CallRecord record = call(Program::config, custom.config, {}, "config",
                                   with_timeout(scope, custom.config_timeout), on_output);
    if (auto failure = judge(record, m_exit_code_file)) return failure;
  }
  if (auto failure = apply_config_output(output)) return failure;
  if (output.empty()) m_observer.note(NoteLevel::plain, "Using Custom executor...");
  static const std::set<std::string_view> shells{"bash", "sh"};
  if (!shells.contains(m_context.shell)) {
    return system_failure(fmt::format("shell {} not found", m_context.shell));
  }
  try {
    m_context.set_directories(m_builds_dir, m_cache_dir, m_shared_builds_dir);
  } catch (const ConfigurationError& error) {
    m_configuration_failed = true;
    return CallFailure{CallFailure::Kind::build, 0, error.what()};
  }
  return std::nullopt;
}

std::optional<CallFailure> Attempt::prepare(const Scope& scope) {
  const CustomConfig& custom = m_context.config().custom;
  if (custom.run.empty()) {
    m_configuration_failed = true;
    return CallFailure{CallFailure::Kind::build, 0, "custom executor is missing RunExec"};
  }
  if (auto failure = configure(scope)) return failure;
  if (custom.prepare.empty()) return std::nullopt;
  const CallRecord record =
      call(Program::prepare, custom.prepare, {}, "prepare",
           with_timeout(scope, custom.prepare_timeout), forward(Program::prepare, "prepare"));
  return judge(record, m_exit_code_file);
}

std::optional<CallFailure> Attempt::run(std::string_view stage, const std::string& script,
                                        const Scope& scope) {
  const std::filesystem::path file = make_directory(m_directory, "script") / "script";
  support::write_file_atomically(file, script, 0700);
  std::string given(stage);
  if (stage == "step_script") {
    m_observer.note(NoteLevel::warning,
                    "Starting with version 17.0 the 'build_script' stage will be replaced with "
                    "'step_script': https://gitlab.com/groups/gitlab-org/-/epics/6112");
    given = "build_script";
  }
  const CallRecord record =
      call(Program::run, m_context.config().custom.run, {file.string(), given}, given, scope,
           forward(Program::run, given));
  return judge(record, m_exit_code_file);
}

void Attempt::cleanup() {
  const CustomConfig& custom = m_context.config().custom;
  if (custom.cleanup.empty() || custom.run.empty()) return;
  Scope scope;
  scope.obeys_job = false;
  const CallRecord record =
      call(Program::cleanup, custom.cleanup, {}, "cleanup",
           with_timeout(scope, custom.cleanup_timeout), forward(Program::cleanup, "cleanup"));
  if (const auto failure = judge(record, m_exit_code_file)) {
    m_observer.note(NoteLevel::warning, "Cleanup script failed: " + failure->message);
  }
}

}  // namespace berth::local::runner
