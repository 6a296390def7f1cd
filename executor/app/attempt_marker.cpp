#include "executor/app/attempt_marker.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <unistd.h>

namespace berth::app {
namespace {

constexpr const char* k_name = "unfinished";

}  // namespace

void mark_unfinished(const std::filesystem::path& tmpdir) {
  support::write_file_atomically(tmpdir / k_name, "");
}

void mark_finished(const std::filesystem::path& tmpdir) {
  const std::filesystem::path path = tmpdir / k_name;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw support::SystemError(
        fmt::format("cannot remove: '{}': {}", path.string(), support::errno_text(errno)));
  }
}

bool is_unfinished(const std::filesystem::path& tmpdir) {
  std::error_code ignored;
  return std::filesystem::exists(tmpdir / k_name, ignored);
}

}  // namespace berth::app
