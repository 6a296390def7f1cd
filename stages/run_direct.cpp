#include "stages/run_direct.hpp"

#include "executor/agentlink/session.hpp"
#include "executor/agentlink/socket_transport.hpp"
#include "executor/agentlink/stage_request.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "executor/support/log.hpp"
#include "stages/artifact_scan.hpp"
#include "stages/masked_log.hpp"
#include "stages/run_deployment.hpp"
#include "stages/run_hints.hpp"
#include "stages/run_input.hpp"
#include "stages/run_log.hpp"
#include "stages/run_secrets.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <unistd.h>
#include <vector>

namespace berth::stages {
namespace {

constexpr const char* k_engine_program = "berth-run-engine";

/// Counts what reached the log.
class Counted final : public core::OutputSink {
 public:
  explicit Counted(core::OutputSink& sink) : m_sink(sink) {}
  void write(std::string_view bytes) override {
    m_sink.write(bytes);
    m_bytes += bytes.size();
  }
  std::uint64_t bytes() const { return m_bytes; }

 private:
  core::OutputSink& m_sink;
  std::uint64_t m_bytes = 0;
};

std::filesystem::path sibling(const char* name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error)
    throw support::SystemError("cannot find berth-run itself: /proc/self/exe: " + error.message());
  return self.parent_path() / name;
}

/// `options` stand in place of those that berth-run itself was given of these kinds.
[[noreturn]] void exec_sibling(StageContext& context, int argc, char** argv,
                               std::vector<std::string> options) {
  const std::filesystem::path program = sibling(k_engine_program);
  std::string name = program.string();
  std::vector<char*> arguments{name.data()};
  // In front: what the runner appends has its fixed place at the end.
  for (std::string& option : options) arguments.push_back(option.data());
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with("--resume=") && !argument.starts_with("--log-state="))
      arguments.push_back(argv[i]);
  }
  arguments.push_back(nullptr);

  context.hand_over_signals();
  if (context.stop.stop_requested()) throw support::Cancelled();
  ::execv(name.c_str(), arguments.data());
  throw support::SystemError("cannot start '" + name + "': " + support::errno_text(errno),
                             "berth-run and berth-run-engine must lie in the same directory");
}

}  // namespace

core::ExitStatus run_direct(StageContext& context, const HandOver& hand_over) {
  RunInput input = read_run_input(context);
  const char* const forced = std::getenv("BERTH_TRANSPORT");
  const std::string directory = forced != nullptr && std::string_view(forced) == "exec"
                                    ? std::string()
                                    : agentlink::socket_dir(input.sandbox, input.script);
  if (directory.empty()) {
    hand_over(context.arguments.resume, nullptr);
    throw support::SystemError("no way to the agent: " + input.spec.resource_name);
  }

  const auto transport = agentlink::make_socket_transport(directory);
  JobLog out(STDOUT_FILENO, context.stop);
  // Behind the masks: what is remembered is what the log shows.
  DeploymentLog watched(out, context);
  RememberingLog shown(watched);
  MaskedLog log(shown);
  RunSecrets secrets(log, input.sandbox, input.script.stage.container(), context.environment.tmpdir,
                     context.console);
  input.script.note = &secrets;
  const agentlink::StageRequest request =
      agentlink::make_stage_request(input.spec, input.sandbox, input.script);
  agentlink::SessionLimits limits;
  limits.connection_timeout = input.spec.connection_timeout;
  limits.leave_after = agentlink::direct_limit(input.sandbox);
  try {
    scan_artifacts(
        input.sandbox, input.script, context.environment,
        [&](const core::Script& script, core::OutputSink& found) {
          return agentlink::run_stage(
              *transport, agentlink::make_stage_request(input.spec, input.sandbox, script), found,
              {.connection_timeout = limits.connection_timeout}, context.stop);
        },
        context.console);
  } catch (const agentlink::AgentLost& lost) {
    support::log(support::LogLevel::info, lost.what());
    hand_over(context.arguments.resume, nullptr);
    throw;
  }
  Counted counted(log);
  try {
    const core::ExitStatus status =
        agentlink::run_stage(*transport, request, counted, limits, context.stop);
    log.finish();
    secrets.share(input.sandbox);
    if (agentlink::asks_why(input.sandbox, input.script, status) &&
        !context.stop.stop_requested()) {
      // What else is known the next program says, which sees none of this output.
      give_hints(input.script.stage, {.how = status.how}, {}, shown.tail(), context.console);
      const std::uint64_t before = input.script.resume ? input.script.resume->offset : 0;
      try {
        hand_over(agentlink::format_resume({request.start.id, before + counted.bytes()}), &secrets);
      } catch (const support::Error& error) {  // then it stays unexplained
        support::log(support::LogLevel::info, error.what());
      }
      give_hints(input.script.stage, status, input.sandbox, {}, context.console);
      return status;
    }
    give_hints(input.script.stage, status, input.sandbox, shown.tail(), context.console);
    return status;
  } catch (const agentlink::AgentLost& lost) {
    support::log(support::LogLevel::info, lost.what());
    std::optional<std::string> resume;
    if (lost.start_sent()) resume = agentlink::format_resume({request.start.id, lost.delivered()});
    try {
      hand_over(resume, lost.start_sent() ? &secrets : nullptr);
    } catch (...) {
      log.finish_quietly();
      throw;
    }
    throw;
  } catch (const support::Cancelled&) {
    log.finish_quietly();
    secrets.share(input.sandbox, true);
    throw;
  } catch (...) {
    log.finish_quietly();
    throw;
  }
}

HandOver exec_engine(StageContext& context, int argc, char** argv) {
  return [&context, argc, argv](const std::optional<std::string>& resume, RunSecrets* secrets) {
    const support::Fd state = secrets ? secrets->hand_over() : support::Fd();
    std::vector<std::string> options;
    if (resume) options.push_back("--resume=" + *resume);
    if (state) options.push_back("--log-state=" + std::to_string(state.get()));
    exec_sibling(context, argc, argv, std::move(options));
  };
}

void exec_conclusion(StageContext& context, int argc, char** argv, const core::ExitStatus& status) {
  exec_sibling(context, argc, argv, {"--ended=" + format_status(status)});
}

}  // namespace berth::stages
