#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace berth::local {

/// Where the run is watched: stdout. Colours and cursor words only on a
/// terminal; elsewhere they are taken out of what jobs print. Lines of jobs that
/// run side by side never mix. Thread-safe.
class Terminal {
 public:
  /// `colours`: false takes them out.
  Terminal(int fd, bool colours) : m_fd(fd), m_colours(colours) {}
  /// stdout, colours if it is a terminal and $NO_COLOR is not set.
  static Terminal of_stdout();

  /// Text as it is, whole lines.
  void print(std::string_view text);
  bool colours() const noexcept { return m_colours; }
  /// The text in that SGR style ("1;32") where there are colours.
  std::string styled(std::string_view style, std::string_view text) const;

 private:
  std::mutex m_mutex;
  int m_fd;
  bool m_colours;
};

/// Without escape sequences (CSI, OSC) and without what a carriage return
/// inside the line overwrites.
std::string plain_line(std::string_view line);

}  // namespace berth::local
