#pragma once

#include "executor/agentlink/session.hpp"
#include "executor/core/backend.hpp"
#include "executor/core/job_spec.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// From the plan and the sandbox to what run_stage wants. Pure but for the
/// random id. Keys of Sandbox::values: "<role>.nonce", "<role>.id",
/// "<role>.socket_dir", "<role>.path" (PATH of its stages), "<role>.umask",
/// "<role>.safe_directory" (for git), "<role>.export.<NAME>" (a variable of its stages
/// where the container has none), role being helper or build; "note" (name of the
/// agents' note), "direct_ms".
namespace berth::agentlink {

/// Behind the role, before the variable's name.
inline constexpr const char* k_value_export = ".export.";
/// Absent: the agents were given none by prepare.
inline constexpr const char* k_value_note = "note";
/// "warn" or "fail": artifacts are looked through for the note's secrets before they are
/// uploaded. Their patterns and those of what is left out, each with a line end, as the
/// job has them. Absent: not.
inline constexpr const char* k_value_scan = "scan";
inline constexpr const char* k_value_scan_paths = "scan.paths";
inline constexpr const char* k_value_scan_exclude = "scan.exclude";

/// The largest script a START can carry, in bytes; the rest is for its other fields.
inline constexpr std::size_t k_max_script = protocol::k_max_driver_payload - (1u << 20);

/// The request that runs `script` in the container of its stage.
/// A stage keeps its container's umask unless the sandbox says another (0000, the
/// only other one; executor/sandbox/checkout.hpp).
/// Throws support::SystemError where the script is too large or a nonce is not
/// 32 hexadecimal digits.
StageRequest make_stage_request(const core::JobSpec& spec, const core::Sandbox& sandbox,
                                const core::Script& script);

/// The directory of this host that holds the agent's socket of the script's
/// container; empty: there is none, use an engine exec.
std::string socket_dir(const core::Sandbox& sandbox, const core::Script& script);

/// For how long berth-run follows a stage itself, before the program with the backend
/// takes it up, since more is to be watched than the agent; absent: to its end.
inline constexpr const char* k_value_direct_ms = "direct_ms";

/// Present where a script of the build container that fails is to be taken to the
/// engine, which may know why: a service may have ended. The value is the backend's.
inline constexpr const char* k_value_ask_why = "failure.ask";

/// Whether that is to be done behind this script.
bool asks_why(const core::Sandbox& sandbox, const core::Script& script,
              const core::ExitStatus& status);

/// Of k_value_direct_ms. Throws support::SystemError where that is no number.
std::optional<std::chrono::milliseconds> direct_limit(const core::Sandbox& sandbox);

/// <32 hexadecimal digits>:<offset>, the value of --resume
std::string format_resume(const core::Resume& resume);
/// Nothing where the text is not of that form.
std::optional<core::Resume> parse_resume(std::string_view text);

}  // namespace berth::agentlink
