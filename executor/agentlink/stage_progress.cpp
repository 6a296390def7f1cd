#include "executor/agentlink/stage_progress.hpp"

#include <fmt/format.h>

#include <string_view>

namespace berth::agentlink {
namespace {

constexpr std::uint8_t k_last_signal = 64;

[[noreturn]] void violation(std::string_view rule) {
  throw ProtocolViolation(std::string(rule));
}

}  // namespace

void StageProgress::on_started(const protocol::Started& started) {
  if (m_answered) violation("STARTED came twice");
  if (started.id != m_id) violation("STARTED names another stage");
  if (started.offset != m_delivered)
    violation(fmt::format("output would go on at byte {} where byte {} is next", started.offset,
                          m_delivered));
  m_answered = m_started = true;
}

void StageProgress::on_output(const protocol::Output& output) const {
  if (!m_answered) violation("OUTPUT came before STARTED");
  if (output.bytes.empty()) violation("OUTPUT carries nothing");
  if (output.bytes.size() > protocol::k_max_output_chunk)
    violation(fmt::format("OUTPUT carries {} bytes, more than {}", output.bytes.size(),
                          protocol::k_max_output_chunk));
  if (output.offset != m_delivered)
    violation(fmt::format("OUTPUT has offset {} where {} is next", output.offset, m_delivered));
}

core::ExitStatus StageProgress::on_exit(const protocol::Exit& exit) const {
  if (!m_answered) violation("EXIT came before STARTED");
  if (exit.id != m_id) violation("EXIT names another stage");
  if (exit.length != m_delivered)
    violation(fmt::format("EXIT tells of {} bytes of output where {} have come", exit.length,
                          m_delivered));
  core::ExitStatus status;
  status.oom_kills = exit.oom_kills;
  switch (exit.kind) {
    case protocol::ExitKind::exited:
      status.how = core::Exited{exit.status};
      return status;
    case protocol::ExitKind::signalled:
      if (exit.status == 0 || exit.status > k_last_signal) violation("EXIT has no such signal");
      status.how = core::Signalled{exit.status};
      return status;
  }
  violation("EXIT is of an unknown kind");
}

}  // namespace berth::agentlink
