#include "executor/agentlink/stage_progress.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::agentlink {
namespace {

constexpr std::uint8_t k_last_signal = 64;

[[noreturn]] void violation(std::string_view rule) {
  throw ProtocolViolation(std::string(rule));
}

}  // namespace

void StageProgress::connected(bool attaching) {
  m_answered = false;
  m_attaching = attaching;
}

void StageProgress::on_started(const protocol::Started& started) {
  if (m_answered) violation("STARTED came twice");
  if (started.id != m_id) violation("STARTED names another stage");
  if (m_attaching ? started.offset != m_delivered : started.offset > m_delivered)
    violation(fmt::format("output would go on at byte {} where byte {} is next", started.offset,
                          m_delivered));
  m_answered = m_started = true;
  m_next = started.offset;
}

std::string_view StageProgress::on_output(const protocol::Output& output) {
  if (!m_answered) violation("OUTPUT came before STARTED");
  if (output.bytes.empty()) violation("OUTPUT carries nothing");
  if (output.bytes.size() > protocol::k_max_output_chunk)
    violation(fmt::format("OUTPUT carries {} bytes, more than {}", output.bytes.size(),
                          protocol::k_max_output_chunk));
  if (output.offset != m_next)
    violation(fmt::format("OUTPUT has offset {} where {} is next", output.offset, m_next));
  m_next += output.bytes.size();
  // An agent answering START again sends what it still holds, which may begin
  // below what was delivered.
  const std::uint64_t known = m_delivered - std::min(m_delivered, output.offset);
  std::string_view fresh = output.bytes;
  fresh.remove_prefix(std::min<std::uint64_t>(known, fresh.size()));
  return fresh;
}

core::ExitStatus StageProgress::on_exit(const protocol::Exit& exit) const {
  if (!m_answered) violation("EXIT came before STARTED");
  if (exit.id != m_id) violation("EXIT names another stage");
  if (exit.length != m_delivered || m_next != m_delivered)
    violation(
        fmt::format("EXIT tells of {} bytes of output where {} have come", exit.length, m_next));
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
