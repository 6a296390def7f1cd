#include "executor/support/console.hpp"

#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <cstdlib>

namespace berth::support {
namespace {

// The runner's own colours (helpers/ansi): bold yellow and bold red.
constexpr std::string_view k_yellow = "\x1b[0;33m";
constexpr std::string_view k_red = "\x1b[31;1m";
constexpr std::string_view k_reset = "\x1b[0;m";

}  // namespace

void StreamConsole::put(std::string_view color, std::string_view label, std::string_view text) {
  const bool colored = m_color && !color.empty();
  std::string bytes;
  // Colour line by line: the log viewer forgets it at each line's end.
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (colored) bytes += color;
    if (start == 0) bytes += label;
    bytes += text.substr(start, end - start);
    if (colored) bytes += k_reset;
    bytes += '\n';
    start = end + 1;
  }
  const std::scoped_lock lock(m_mutex);
  try {
    write_all(m_fd, bytes, "job log");
  } catch (const Error&) {
    // The reader has gone: nobody is left to tell.
  }
}

void StreamConsole::line(std::string_view text) {
  put({}, "berth: ", text);
}

void StreamConsole::warning(std::string_view text) {
  put(k_yellow, "WARNING: ", text);
}

void StreamConsole::hint(std::string_view text) {
  put(k_red, "HINT: ", text);
}

void StreamConsole::error(std::string_view message, std::string_view remedy) {
  put(k_red, "ERROR: ", message);
  if (!remedy.empty()) hint(remedy);
}

bool color_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return no_color == nullptr || *no_color == '\0';
}

}  // namespace berth::support
