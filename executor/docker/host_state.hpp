#pragma once

#include "executor/core/job_spec.hpp"
#include "executor/support/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace berth::docker {

/// Berth's state folder on this host, as the Docker backend uses it. Everything
/// in it belongs to the user Berth runs as, mode 0700:
///
///     <state>/host-id              random, made once (executor/state/host_id.hpp)
///     <state>/<name>.lock          short critical sections between jobs
///     <state>/run/<attempt>/       owner, helper/, build/, lease/ (0777)
///     <state>/holders/<volume>     which attempt uses a kept /builds volume
///     <state>/used/<volume>        empty; its time is when a job last asked for it
///
/// An attempt is *known dead* here when its record is of the same host identity
/// and its TMPDIR is gone: the runner removes that after cleanup. Of another
/// identity (a runner in another container, with the same state folder) nothing
/// can be seen, so its records count until their deadline has passed.
///
/// Errors: OperatorError where the folder cannot be made or used.
class HostState {
 public:
  /// Makes the folder where it does not exist.
  explicit HostState(std::filesystem::path folder);

  const std::filesystem::path& folder() const noexcept { return m_folder; }

  /// The berth.host label for attempts with this TMPDIR: runners that do not see
  /// each other's TMPDIRs have different ones, and so never take each other's
  /// jobs for dead.
  std::string identity(const std::filesystem::path& tmpdir) const;

  /// Released with the descriptor. Throws support::Cancelled.
  support::Fd lock(std::string_view name, const std::stop_token& stop) const;

  /// Makes run/<attempt> and what is in it; returns it. Again: nothing changes.
  std::filesystem::path make_attempt(const core::JobSpec& spec, std::string_view host) const;
  std::filesystem::path attempt_directory(std::string_view attempt) const;

  /// Picks a name for a kept volume that no live attempt holds: `volume` itself,
  /// else volume-2, volume-3, ...; and records the holder.
  std::string hold(const std::string& volume, const core::JobSpec& spec, std::string_view host,
                   std::int64_t now, const std::stop_token& stop) const;

  /// Forgets the attempt: its directory and its holds. Returns what could not be
  /// removed, as words. An unknown attempt is a success.
  std::vector<std::string> forget(std::string_view attempt) const;

  /// Attempts with a directory or a hold here that are known dead.
  std::vector<std::string> dead_attempts(std::string_view host, std::int64_t now) const;

  /// The same of every identity, each seen as far as it can be from here.
  std::vector<std::string> dead_attempts(std::int64_t now) const;

  /// Whether an attempt of that identity with that TMPDIR is over, as its TMPDIR,
  /// which can be looked for from here, is gone.
  bool is_over(const std::string& host, const std::string& tmpdir) const;

  /// Kept volumes: notes that a job uses it from now on; when one last did (seconds
  /// since the epoch; nothing: no job of this state folder); whether an attempt that
  /// is not known dead holds it; forgets that it was used.
  void note_use(const std::string& volume) const;
  std::optional<std::int64_t> last_use(const std::string& volume) const;
  bool is_held(const std::string& volume, std::int64_t now) const;
  void forget_use(const std::string& volume) const;

  /// Attempts recorded for this TMPDIR.
  std::vector<std::string> attempts_of(std::string_view host, std::string_view tmpdir) const;

 private:
  std::filesystem::path m_folder;
};

}  // namespace berth::docker
