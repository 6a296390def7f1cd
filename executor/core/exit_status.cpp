#include "executor/core/exit_status.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstring>

namespace berth::core {
namespace {

std::string signal_name(int number) {
  const char* name = sigabbrev_np(number);
  return name == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", name);
}

}  // namespace

bool ExitStatus::success() const {
  const auto* exited = std::get_if<Exited>(&how);
  return exited != nullptr && exited->code == 0;
}

int ExitStatus::build_exit_code() const {
  if (const auto* exited = std::get_if<Exited>(&how)) return exited->code;
  return 128 + std::get<Signalled>(how).number;
}

std::string explain(const ExitStatus& status) {
  if (status.success()) return {};
  std::string text;
  if (const auto* signalled = std::get_if<Signalled>(&status.how)) {
    text = fmt::format("the script was killed by {}", signal_name(signalled->number));
  } else if (const int code = std::get<Exited>(status.how).code;
             code > 128 && code - 128 < NSIG && sigabbrev_np(code - 128) != nullptr) {
    // A shell reports a command killed by signal n as 128 + n, but so may a
    // command that merely chose the number.
    text = fmt::format("exit code {} usually means that a command was killed by {}", code,
                       signal_name(code - 128));
  }
  if (status.oom_kills > 0) {
    if (!text.empty()) text += "; ";
    text += status.oom_kills == 1
                ? "the kernel killed a process of the container for want of memory"
                : fmt::format("the kernel killed {} processes of the container for want of memory",
                              status.oom_kills);
  }
  return text;
}

}  // namespace berth::core
