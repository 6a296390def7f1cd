#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// The messages between a driver and the berth-agent of one container.
///
/// On the byte stream (unix socket or engine exec) each message is one frame:
///
///     u8 type | u32 length of payload | payload
///
/// Integers are big-endian. Strings and byte strings are u32 length + bytes.
/// Lists are u32 count + items. A frame whose length exceeds the limit of its
/// direction, or whose payload is not used up exactly, is a protocol error: the
/// receiver closes the connection. See frames.hpp for encoding and decoding.
///
/// A session:
///
///     agent  -> HELLO                      at once, on every connection
///     driver -> START id, script           or ATTACH id, offset after a cut
///     agent  -> STARTED id, state
///     agent  -> OUTPUT offset, bytes ...   driver -> ACK offset ...
///     agent  -> EXIT id, status            after the last OUTPUT of the stage
///
/// Rules the two ends keep:
///   - One connection is served at a time; a newer one replaces the older.
///   - START with the id of the running or last stage never starts anything; it
///     is answered with STARTED and output from the lowest byte still held.
///   - START of another id while a stage runs: on a connection that follows that
///     stage it is REFUSED; on any other the stage's driver was killed, and so are
///     then all processes of the container before the new stage starts.
///   - ATTACH with an offset below what was acknowledged, or of an unknown id,
///     is answered with REFUSED.
///   - OUTPUT offsets are contiguous from the offset asked for; both streams of
///     the script are one byte sequence in the order written.
///   - The agent holds at most k_output_window unacknowledged bytes; beyond that
///     the script blocks as on a full pipe.
///   - EXIT is repeated after every ATTACH until the next START.
namespace berth::protocol {

/// Raised when either end can no longer speak to an older other end.
inline constexpr std::uint16_t k_version = 1;
/// Unacknowledged output the agent holds, in bytes.
inline constexpr std::size_t k_output_window = 8u << 20;
/// Most bytes in one OUTPUT frame.
inline constexpr std::size_t k_max_output_chunk = 64u << 10;
/// Largest payload a driver accepts from an agent (a hostile job may pose as one).
inline constexpr std::size_t k_max_agent_payload = 5u << 20;
/// Largest payload an agent accepts from its driver (a START carries the script).
inline constexpr std::size_t k_max_driver_payload = 256u << 20;
/// Largest file PUT and GET carry, in bytes.
inline constexpr std::size_t k_max_file = 4u << 20;
/// PUT and GET of a path that begins so mean a note: bytes that the agent keeps in its
/// own memory, never in a file. Whoever knows its name may read it, so a name is random
/// and not told to the job.
inline constexpr const char* k_note_prefix = "memory:";
/// Notes that one agent keeps; all of them together are no larger than one file.
inline constexpr std::size_t k_max_notes = 4;
/// PUT with this mode makes the directory `bytes` (0700) and a symbolic link to it, where
/// nothing stands yet (EEXIST).
inline constexpr std::uint32_t k_link_mode = 0120777;
/// The agent sends PING this often; a driver that hears nothing for three of
/// them takes the connection for dead. Seconds.
inline constexpr int k_ping_interval = 10;

/// Names one run of one stage: random, made by the driver.
using StageId = std::array<std::uint8_t, 16>;

// --- driver -> agent --------------------------------------------------------

/// Start the stage once. The script reaches the shell as its standard input
/// (a memfd), never as a file or an argument.
struct Start {
  StageId id{};
  /// umask of the stage; k_keep_umask leaves the container's own.
  std::uint32_t umask = 0;
  /// Shells to try by absolute path, in order. Empty: the runner's detect order
  /// (bash, then sh, in /usr/local/bin, /usr/bin, /bin, then /busybox/sh).
  std::vector<std::string> shells;
  /// KEY=value pairs added to the container's environment; ?KEY=value only where the
  /// container has no KEY.
  std::vector<std::string> env;
  std::string script;
  bool operator==(const Start&) const = default;
};
inline constexpr std::uint32_t k_keep_umask = 0xffffffff;

/// Send output from this offset on, then EXIT.
struct Attach {
  StageId id{};
  std::uint64_t offset = 0;
  bool operator==(const Attach&) const = default;
};

/// Bytes below offset are safe with the driver and may be forgotten.
struct Ack {
  std::uint64_t offset = 0;
  bool operator==(const Ack&) const = default;
};

/// Signal every process of the container but the agent: kill(-1) as the first
/// process of a PID namespace, else only its own descendants, never a process
/// it did not start (a /proc walk of strangers would end the host in tests).
struct Signal {
  std::uint8_t number = 15;
  bool operator==(const Signal&) const = default;
};

enum class ProbeKind : std::uint8_t { tcp = 0, http = 1 };

/// One address to try: an IPv4 or IPv6 literal. The agent resolves no names.
struct ProbeTarget {
  ProbeKind kind = ProbeKind::tcp;
  std::string address;
  std::uint16_t port = 0;
  /// Path of an HTTP probe; any complete status line counts as an answer.
  std::string http_path;
  bool operator==(const ProbeTarget&) const = default;
};

/// Try the targets every interval until each answers or the deadline has
/// passed. Answered by one PROBED per target as it is decided. A newer PROBE
/// with another tag runs beside it. Ends with the connection.
struct Probe {
  std::uint32_t tag = 0;
  std::uint32_t deadline_ms = 0;
  std::uint32_t interval_ms = 50;
  std::vector<ProbeTarget> targets;
  bool operator==(const Probe&) const = default;
};

/// Write a small file: to a temporary name beside it, then renamed. Parent
/// directories are made (0755). uid/gid k_keep_owner: the agent's own.
struct Put {
  std::uint32_t tag = 0;
  std::string path;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string bytes;
  bool operator==(const Put&) const = default;
};
inline constexpr std::uint32_t k_keep_owner = 0xffffffff;

/// Read a small regular file.
struct Get {
  std::uint32_t tag = 0;
  std::string path;
  bool operator==(const Get&) const = default;
};

/// Answer to PING, so that the agent knows that its driver lives.
struct Pong {
  bool operator==(const Pong&) const = default;
};

// --- agent -> driver --------------------------------------------------------

struct Hello {
  std::uint16_t version = k_version;
  /// Random per agent process: another one after a reconnect means that the
  /// container was replaced.
  std::array<std::uint8_t, 16> nonce{};
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  /// As in uname: x86_64, aarch64, ...
  std::string arch;
  /// Absolute paths of the shells found, in detect order. Empty: none.
  std::vector<std::string> shells;
  bool operator==(const Hello&) const = default;
};

enum class StageState : std::uint8_t { running = 0, finished = 1 };

/// Answer to START and ATTACH.
struct Started {
  StageId id{};
  StageState state = StageState::running;
  /// Offset of the OUTPUT frame that follows.
  std::uint64_t offset = 0;
  bool operator==(const Started&) const = default;
};

struct Output {
  std::uint64_t offset = 0;
  std::string bytes;
  bool operator==(const Output&) const = default;
};

enum class ExitKind : std::uint8_t { exited = 0, signalled = 1 };

/// The stage's shell has ended and all it wrote stands in front of this frame.
struct Exit {
  StageId id{};
  ExitKind kind = ExitKind::exited;
  /// Exit code or signal number.
  std::uint8_t status = 0;
  /// Processes of this container that the kernel killed for want of memory
  /// while the stage ran.
  std::uint32_t oom_kills = 0;
  /// Total bytes of output.
  std::uint64_t length = 0;
  bool operator==(const Exit&) const = default;
};

enum class RefusalReason : std::uint8_t {
  no_shell = 0,          ///< none of the shells exists in the image
  unknown_stage = 1,     ///< ATTACH of an id that is not the last one started
  offset_forgotten = 2,  ///< ATTACH below what was acknowledged
  busy = 3,              ///< START of another id while a stage runs that does not give way
  cannot_start = 4,      ///< fork, memfd or exec failed; text has errno's words
  bad_frame = 5,         ///< the agent could not read a frame; it closes
};

/// The agent cannot do what was asked.
struct Refused {
  RefusalReason reason = RefusalReason::cannot_start;
  std::string text;
  bool operator==(const Refused&) const = default;
};

struct Probed {
  std::uint32_t tag = 0;
  std::uint32_t index = 0;
  bool answered = false;
  /// errno's words of the last attempt where not answered.
  std::string text;
  bool operator==(const Probed&) const = default;
};

/// Answer to PUT (bytes empty) and GET. error is an errno value, 0 for success.
struct FileReply {
  std::uint32_t tag = 0;
  std::uint32_t error = 0;
  std::string bytes;
  bool operator==(const FileReply&) const = default;
};

struct Ping {
  bool operator==(const Ping&) const = default;
};

using DriverMessage = std::variant<Start, Attach, Ack, Signal, Probe, Put, Get, Pong>;
using AgentMessage = std::variant<Hello, Started, Output, Exit, Refused, Probed, FileReply, Ping>;

}  // namespace berth::protocol
