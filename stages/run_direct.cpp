#include "stages/run_direct.hpp"

#include "executor/agentlink/session.hpp"
#include "executor/agentlink/socket_transport.hpp"
#include "executor/agentlink/stage_request.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "executor/support/log.hpp"
#include "stages/run_deployment.hpp"
#include "stages/run_hints.hpp"
#include "stages/run_input.hpp"
#include "stages/run_log.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
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

/// `option` replaces one of its kind; empty: none.
[[noreturn]] void exec_sibling(StageContext& context, int argc, char** argv, std::string option) {
  const std::filesystem::path program = sibling(k_engine_program);
  std::string name = program.string();
  std::vector<char*> arguments{name.data()};
  // In front: what the runner appends has its fixed place at the end.
  if (!option.empty()) arguments.push_back(option.data());
  for (int i = 1; i < argc; ++i)
    if (!std::string_view(argv[i]).starts_with("--resume=")) arguments.push_back(argv[i]);
  arguments.push_back(nullptr);

  context.hand_over_signals();
  if (context.stop.stop_requested()) throw support::Cancelled();
  ::execv(name.c_str(), arguments.data());
  throw support::SystemError("cannot start '" + name + "': " + support::errno_text(errno),
                             "berth-run and berth-run-engine must lie in the same directory");
}

}  // namespace

core::ExitStatus run_direct(StageContext& context, const HandOver& hand_over) {
  const RunInput input = read_run_input(context);
  const char* const forced = std::getenv("BERTH_TRANSPORT");
  const std::string directory = forced != nullptr && std::string_view(forced) == "exec"
                                    ? std::string()
                                    : agentlink::socket_dir(input.sandbox, input.script);
  if (directory.empty()) {
    hand_over(context.arguments.resume);
    throw support::SystemError("no way to the agent: " + input.spec.resource_name);
  }

  const auto transport = agentlink::make_socket_transport(directory);
  const agentlink::StageRequest request =
      agentlink::make_stage_request(input.spec, input.sandbox, input.script);
  agentlink::SessionLimits limits;
  limits.connection_timeout = input.spec.connection_timeout;
  limits.leave_after = agentlink::direct_limit(input.sandbox);
  JobLog job_log(STDOUT_FILENO, context.stop);
  DeploymentLog watched(job_log, context);
  RememberingLog log(watched);
  Counted counted(log);
  try {
    const core::ExitStatus status =
        agentlink::run_stage(*transport, request, counted, limits, context.stop);
    if (agentlink::asks_why(input.sandbox, input.script, status) &&
        !context.stop.stop_requested()) {
      // What else is known the next program says, which sees none of this output.
      give_hints(input.script.stage, {.how = status.how}, {}, log.tail(), context.console);
      const std::uint64_t before = input.script.resume ? input.script.resume->offset : 0;
      try {
        hand_over(agentlink::format_resume({request.start.id, before + counted.bytes()}));
      } catch (const support::Error& error) {  // then it stays unexplained
        support::log(support::LogLevel::info, error.what());
      }
      give_hints(input.script.stage, status, input.sandbox, {}, context.console);
      return status;
    }
    give_hints(input.script.stage, status, input.sandbox, log.tail(), context.console);
    return status;
  } catch (const agentlink::AgentLost& lost) {
    support::log(support::LogLevel::info, lost.what());
    std::optional<std::string> resume;
    if (lost.start_sent()) resume = agentlink::format_resume({request.start.id, lost.delivered()});
    hand_over(resume);
    throw;
  }
}

HandOver exec_engine(StageContext& context, int argc, char** argv) {
  return [&context, argc, argv](const std::optional<std::string>& resume) {
    exec_sibling(context, argc, argv, resume ? "--resume=" + *resume : std::string());
  };
}

void exec_conclusion(StageContext& context, int argc, char** argv, const core::ExitStatus& status) {
  exec_sibling(context, argc, argv, "--ended=" + format_status(status));
}

}  // namespace berth::stages
