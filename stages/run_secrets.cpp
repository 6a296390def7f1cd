#include "stages/run_secrets.hpp"

#include "executor/agentlink/client.hpp"
#include "executor/agentlink/socket_transport.hpp"
#include "executor/agentlink/stage_request.hpp"
#include "executor/gitlab/script_values.hpp"
#include "executor/masking/wire.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <sys/mman.h>
#include <unistd.h>

namespace berth::stages {
namespace {

constexpr std::size_t k_max_marker = 256;
constexpr std::size_t k_max_state = std::size_t{64} << 20;
constexpr std::size_t k_name_bytes = 16;
/// For the other container's agent, which has nothing to do meanwhile.
constexpr std::chrono::seconds k_share_limit{5};

core::ContainerRole other_than(core::ContainerRole role) {
  return role == core::ContainerRole::helper ? core::ContainerRole::build
                                             : core::ContainerRole::helper;
}

}  // namespace

RunSecrets::RunSecrets(MaskedLog& log, const core::Sandbox& sandbox, core::ContainerRole role,
                       std::filesystem::path tmpdir, support::Console& console)
    : m_log(log), m_role(role), m_tmpdir(std::move(tmpdir)), m_console(console) {
  const auto given = sandbox.values.find(agentlink::k_value_note);
  m_by_prepare = given != sandbox.values.end();
  if (m_by_prepare) {
    m_name = given->second;
    m_wanted = true;
  } else {
    m_wanted = has_marker(m_role);
  }
}

std::filesystem::path RunSecrets::marker(core::ContainerRole role) const {
  return m_tmpdir / ("note." + std::string(core::to_string(role)));
}

/// That container's agent has been given the note; m_name is then its name.
bool RunSecrets::has_marker(core::ContainerRole role) {
  const auto name = support::read_file_if_exists(marker(role), k_max_marker);
  if (name) m_name = *name;
  return name.has_value();
}

void RunSecrets::use(masking::StageSecrets secrets) {
  m_secrets = std::move(secrets);
  m_log.mask(m_secrets);
}

void RunSecrets::take(std::string_view bytes, std::string& script) {
  auto secrets = masking::decode_stage_secrets(bytes);
  if (!secrets)
    throw support::SystemError("what the agent kept for the job's stages is damaged",
                               "something in the job may pose as the agent in /.berth/run");
  use(std::move(*secrets));
  if (m_secrets.changes.empty()) return;
  std::vector<gitlab::ValueChange> changes;
  for (const auto& change : m_secrets.changes)
    changes.push_back({.from = change.from, .to = change.to});
  const gitlab::ChangedScript changed = gitlab::change_values(script, changes);
  if (changed.changes > 0) script = changed.script.expose();
}

void RunSecrets::find_name() {
  if (m_name.empty() && !has_marker(other_than(m_role)))
    m_name = protocol::k_note_prefix + support::random_hex(k_name_bytes);
}

masking::StageSecrets RunSecrets::known() const {
  masking::StageSecrets all = m_secrets;
  for (support::Secret& value : m_log.requested()) all.requested.push_back(std::move(value));
  return all;
}

/// For later stages: of what was asked for, no more than a job may ask for.
support::Secret RunSecrets::kept() const {
  masking::StageSecrets all = known();
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (; count < std::min(all.requested.size(), masking::k_max_secrets); ++count) {
    bytes += all.requested[count].expose().size();
    if (bytes > masking::k_max_secret_bytes) break;
  }
  all.requested.resize(count);
  return masking::encode(all);
}

std::optional<support::Secret> RunSecrets::changed() {
  m_log.finish();
  m_changed = m_changed || !m_log.requested().empty();
  if (!m_changed || m_tmpdir.empty()) return std::nullopt;
  find_name();
  if (!m_wanted) support::write_file_atomically(marker(m_role), m_name);
  return kept();
}

void RunSecrets::not_kept(std::string_view why) {
  if (!m_wanted) {
    std::error_code unused;
    std::filesystem::remove(marker(m_role), unused);
  }
  m_console.warning("later stages will not mask what `::add-mask::` asked for: the agent: " +
                    std::string(why));
}

void RunSecrets::share(const core::Sandbox& sandbox, bool cancelled) {
  m_changed = m_changed || !m_log.requested().empty();
  if (!m_changed || m_tmpdir.empty()) return;
  find_name();
  for (const core::ContainerRole role : {m_role, other_than(m_role)}) {
    const std::string called(core::to_string(role));
    const auto directory = sandbox.values.find(called + ".socket_dir");
    if (directory == sandbox.values.end() || (role == m_role && !cancelled)) continue;
    try {
      const auto transport =
          agentlink::make_socket_transport(std::filesystem::path(directory->second));
      auto agent = agentlink::AgentClient::connect(
          *transport, std::chrono::steady_clock::now() + k_share_limit, {});
      agent.put(m_name, kept().expose(), {}, {});
      if (!m_by_prepare) support::write_file_atomically(marker(role), m_name);
    } catch (const std::exception& error) {
      m_console.warning("stages of the " + called +
                        " container will not mask what `::add-mask::` asked for: " + error.what());
    }
  }
}

support::Fd RunSecrets::hand_over() {
  std::string text;
  masking::put_text(text, masking::encode(known()).expose());
  masking::put_number(text, m_changed || !m_log.requested().empty() ? 1 : 0);
  masking::put_text(text, m_log.save().expose());
  const support::Secret state(std::move(text));
  // Kept over execv().
  support::Fd memory(::memfd_create("berth-log", 0));
  if (!memory)
    throw support::SystemError("cannot hand the log over: memfd_create: " +
                               support::errno_text(errno));
  support::write_all(memory.get(), state.expose(), "the log's state");
  return memory;
}

void RunSecrets::take_over(int descriptor) {
  const support::Fd memory(descriptor);
  const support::Secret state(
      support::read_file("/proc/self/fd/" + std::to_string(descriptor), k_max_state));
  std::string_view bytes = state.expose();
  const auto secrets = masking::take_text(bytes);
  const auto changed = masking::take_number(bytes);
  const auto log = masking::take_text(bytes);
  auto decoded = secrets ? masking::decode_stage_secrets(*secrets) : std::nullopt;
  if (!decoded || !changed || !log || !bytes.empty())
    throw support::SystemError("the log cannot be taken up: its state is damaged");
  use(std::move(*decoded));
  m_log.restore(*log);
  m_changed = *changed != 0;
  m_wanted = false;
}

}  // namespace berth::stages
