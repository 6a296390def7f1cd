#include "cli/local/terminal.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <unistd.h>

namespace berth::local {
namespace {

/// Length of the escape sequence at the beginning of the text, 0 where none.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2 || text[0] != '\033') return 0;
  if (text[1] == '[') {  // CSI: to a byte @..~
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] >= '@' && text[i] <= '~') return i + 1;
    }
    return text.size();
  }
  if (text[1] == ']') {  // OSC: to BEL or ESC backslash
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] == '\a') return i + 1;
      if (text[i] == '\\' && text[i - 1] == '\033') return i + 1;
    }
    return text.size();
  }
  return 2;
}

}  // namespace

Terminal Terminal::of_stdout() {
  return {STDOUT_FILENO, ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr};
}

void Terminal::print(std::string_view text) {
  const std::lock_guard lock(m_mutex);
  try {
    support::write_all(m_fd, text, "stdout");
  } catch (const support::SystemError&) {
    // Who looked is gone (a closed pipe); the jobs and their logs go on.
  }
}

std::string Terminal::styled(std::string_view style, std::string_view text) const {
  return m_colours ? fmt::format("\033[{}m{}\033[0m", style, text) : std::string(text);
}

std::string plain_line(std::string_view line) {
  std::string result;
  while (!line.empty()) {
    if (const std::size_t length = escape_length(line); length > 0) {
      line.remove_prefix(length);
    } else {
      if (line.front() == '\r') {
        result.clear();
      } else {
        result.push_back(line.front());
      }
      line.remove_prefix(1);
    }
  }
  return result;
}

}  // namespace berth::local
