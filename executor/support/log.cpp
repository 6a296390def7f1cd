#include "executor/support/log.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <unistd.h>

namespace berth::support {
namespace {

constexpr std::array<std::string_view, 3> k_names{"debug", "info", "warn"};

int threshold() noexcept {
  static const int level = [] {
    const char* word = std::getenv("BERTH_LOG");
    return parse_log_level(word == nullptr ? "" : word);
  }();
  return level;
}

}  // namespace

int parse_log_level(std::string_view word) noexcept {
  for (std::size_t i = 0; i < k_names.size(); ++i) {
    if (word == k_names[i]) return static_cast<int>(i);
  }
  return static_cast<int>(k_names.size());
}

bool log_enabled(LogLevel level) noexcept {
  return static_cast<int>(level) >= threshold();
}

void log(LogLevel level, std::string_view text) {
  if (!log_enabled(level)) return;
  const std::string line = fmt::format("berth[{}] {}: {}\n", ::getpid(),
                                       k_names.at(static_cast<std::size_t>(level)), text);
  try {
    write_all(STDERR_FILENO, line, "log");
  } catch (const Error&) {
    // The reader has gone: nobody is left to tell.
  }
}

}  // namespace berth::support
