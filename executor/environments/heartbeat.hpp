#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>

/// "Still at work": a file that the programs of a job touch while they run. It is how a
/// killed manager's lock is told from one whose job takes long. Light: berth-run has it.
///
/// A job's containers may outlive its programs by `orphan_timeout` (agent/README.md), so
/// a lock may be taken away only when its file has not been touched for longer. Who
/// takes it away removes the file, under the file's own lock; from then on touch() fails,
/// and a program that was only stopped for a while learns that its job must end.
namespace berth::environments {

/// Makes the file, and its directory, or touches it. Throws SystemError.
void make_heartbeat(const std::filesystem::path& file, std::int64_t now);

/// False: the file is gone. Throws SystemError for other trouble.
bool touch_heartbeat(const std::filesystem::path& file, std::int64_t now);

/// Removes the file if it is there and was not touched for longer than `silence`.
/// True: it is gone now, whoever removed it. Throws SystemError.
bool end_heartbeat_if_silent(const std::filesystem::path& file, std::chrono::seconds silence,
                             std::int64_t now);

/// Whether end_heartbeat_if_silent() would say true; changes nothing.
bool is_heartbeat_silent(const std::filesystem::path& file, std::chrono::seconds silence,
                         std::int64_t now);

/// Removes the file; none is success.
void end_heartbeat(const std::filesystem::path& file);

/// Removes those of a directory that were silent for so long: of drivers that were killed
/// while they waited. What cannot be removed stays.
void end_old_heartbeats(const std::filesystem::path& directory, std::chrono::seconds silence,
                        std::int64_t now);

/// How often to touch a file that may be silent for so long: a few beats may be missed.
std::chrono::milliseconds heartbeat_interval(std::chrono::seconds silence);

/// Touches a file every few seconds from a thread of its own, as long as it lives.
class Heartbeat {
 public:
  /// Touches it before it returns. `stop` is passed on by token().
  Heartbeat(std::filesystem::path file, std::stop_token stop, std::chrono::milliseconds interval);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Stops when `stop` does, or when the file was taken away.
  std::stop_token token() const noexcept;
  /// The file was taken away: somebody else may have the lock.
  bool lost() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace berth::environments
