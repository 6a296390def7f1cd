#include "stages/run_deployment.hpp"

#include "executor/environments/heartbeat.hpp"
#include "executor/state/deployment.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

namespace berth::stages {
namespace {

/// after_script is run whatever became of the deployment.
bool is_own_script(const std::string& stage) {
  return stage == "build_script" || stage.starts_with("step_");
}

[[noreturn]] void lost(const std::string& environment) {
  throw support::SystemError(
      fmt::format("lost the lock of environment '{}': the job's programs were stopped for too long",
                  environment),
      "another deployment may have begun; look at `berth env history`, then retry the job");
}

}  // namespace

DeploymentLog::DeploymentLog(core::OutputSink& log, const StageContext& context)
    : m_log(log),
      m_tmpdir(context.environment.tmpdir),
      m_watching(is_own_script(context.arguments.script_stage) &&
                 state::read_deployment(m_tmpdir).has_value()) {}

void DeploymentLog::write(std::string_view bytes) {
  m_log.write(bytes);
  if (!m_watching) return;
  m_output.feed(bytes);
  // At once: this program may be replaced by another, or killed.
  if (m_output.immutable_jobs().size() == m_noted) return;
  m_noted = m_output.immutable_jobs().size();
  state::write_immutable_jobs(m_tmpdir, m_output.immutable_jobs());
}

core::ExitStatus run_deployment(StageContext& context, const StageBody& body,
                                const Conclude& conclude) {
  const auto deployment = state::read_deployment(context.environment.tmpdir);
  if (!deployment) return body(context);
  const bool own = is_own_script(context.arguments.script_stage);
  const environments::Heartbeat heartbeat(deployment->heartbeat, context.stop,
                                          deployment->interval);
  if (heartbeat.lost()) lost(deployment->environment);
  if (own) state::mark_script_begun(context.environment.tmpdir);
  context.stop = heartbeat.token();
  try {
    const core::ExitStatus status = body(context);
    return own ? conclude(status) : status;
  } catch (const support::Cancelled&) {
    if (heartbeat.lost()) lost(deployment->environment);
    throw;
  }
}

std::string format_status(const core::ExitStatus& status) {
  if (const auto* signal = std::get_if<core::Signalled>(&status.how)) {
    return fmt::format("signal:{}:{}", signal->number, status.oom_kills);
  }
  return fmt::format("exit:{}:{}", std::get<core::Exited>(status.how).code, status.oom_kills);
}

core::ExitStatus parse_status(const std::string& text) {
  const auto fail = [&]() {
    throw support::OperatorError(fmt::format("not an exit status: '{}'", text));
  };
  const auto number = [&](std::string_view digits) {
    int value = 0;
    const char* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value);
    if (digits.empty() || error != std::errc() || end != last || value < 0) fail();
    return value;
  };
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  if (second == std::string::npos) fail();
  const std::string_view all(text);
  const int value = number(all.substr(first + 1, second - first - 1));
  core::ExitStatus status;
  status.oom_kills = static_cast<unsigned>(number(all.substr(second + 1)));
  if (all.substr(0, first) == "signal")
    status.how = core::Signalled{value};
  else if (all.substr(0, first) == "exit")
    status.how = core::Exited{value};
  else
    fail();
  return status;
}

}  // namespace berth::stages
