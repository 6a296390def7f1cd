#include "executor/sandbox/job_container.hpp"

#include "executor/support/error.hpp"
#include "executor/support/hex.hpp"

#include <fmt/format.h>

namespace berth::sandbox {

std::string called(const JobContainer& container) {
  return fmt::format("{} container of image '{}'", core::to_string(container.role),
                     container.image);
}

std::string nonce_text(const protocol::Hello& hello) {
  return support::hex(hello.nonce);
}

bool is_about_the_image(std::string_view text) {
  for (const char* words : {"executable file not found", "no such file or directory",
                            "unable to find user", "unable to find group", "permission denied",
                            "exec format error", "is a directory", "no matching entries"}) {
    if (text.find(words) != std::string_view::npos) return true;
  }
  return false;
}

void throw_ended_early(const JobContainer& container, const std::string& explanation,
                       const std::string& quoted_log) {
  const std::string message = fmt::format("{} {} before the job could use it{}", called(container),
                                          explanation, quoted_log);
  if (container.role == core::ContainerRole::helper) {
    throw support::OperatorError(message, "check `helper_image`");
  }
  throw support::JobError(message,
                          "the image's entrypoint must run the command it is given; to start "
                          "without it write `image: {name: " +
                              container.image + ", entrypoint: [\"\"]}`");
}

void require_shell(const JobContainer& container, const protocol::Hello& hello) {
  if (!hello.shells.empty()) return;
  const std::string message = fmt::format(
      "image '{}' has no shell: neither bash nor sh in /usr/local/bin, /usr/bin or "
      "/bin, nor /busybox/sh",
      container.image);
  if (container.role == core::ContainerRole::helper) {
    throw support::OperatorError(message, "check `helper_image`");
  }
  throw support::JobError(message,
                          "scripts need one: distroless images have variants with it (\":debug\")");
}

}  // namespace berth::sandbox
