#pragma once

#include "agent/protocol/messages.hpp"
#include "executor/core/stage.hpp"

#include <string>
#include <string_view>

/// What goes wrong with the two containers that run a job's scripts, whatever
/// they live in: whose fault it is, in words.
namespace berth::sandbox {

/// One of the job's two containers, as messages speak of it.
struct JobContainer {
  core::ContainerRole role = core::ContainerRole::build;
  /// As the job's author wrote it.
  std::string image{};
};

/// "build container of image 'x'"
std::string called(const JobContainer& container);

/// The error for a container that ended before its agent spoke: the author's
/// business (build: its entrypoint did not run the command it was given) or the
/// operator's (helper). JobError or OperatorError.
[[noreturn]] void throw_ended_early(const JobContainer& container, const std::string& explanation,
                                    const std::string& quoted_log);

/// Throws where the image has no shell that could run a script: JobError for the
/// build container, OperatorError for the helper.
void require_shell(const JobContainer& container, const protocol::Hello& hello);

/// The agent's nonce as Sandbox::values have it: 32 hexadecimal digits.
std::string nonce_text(const protocol::Hello& hello);

/// Whether words of runc and the engine for a first process that cannot be one
/// are about the image: its command, its user.
bool is_about_the_image(std::string_view text);

}  // namespace berth::sandbox
