#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace berth::support {

/// Short lines for the job log. Implementations are thread-safe.
class Console {
 public:
  virtual ~Console() = default;
  /// `berth: pulling image 'x'`
  virtual void line(std::string_view text) = 0;
  /// `WARNING: ...`, yellow.
  virtual void warning(std::string_view text) = 0;
  /// `HINT: ...`, red as the failure that it is about.
  virtual void hint(std::string_view text) { line("HINT: " + std::string(text)); }
};

/// Console on a descriptor: each line one write, so that lines of several
/// threads or processes do not mix. GitLab's job log renders ANSI colours
/// whatever the descriptor is; NO_COLOR (https://no-color.org) turns them off.
/// What cannot be written is dropped: a closed log must not fail a job.
class StreamConsole final : public Console {
 public:
  StreamConsole(int fd, bool color) : m_fd(fd), m_color(color) {}

  void line(std::string_view text) override;
  void warning(std::string_view text) override;
  void hint(std::string_view text) override;
  /// `ERROR: <message>`, red; then `HINT: <remedy>` unless empty.
  void error(std::string_view message, std::string_view remedy);

 private:
  void put(std::string_view color, std::string_view label, std::string_view text);

  int m_fd;
  bool m_color;
  std::mutex m_mutex;
};

/// True unless NO_COLOR is set to something.
bool color_wanted();

}  // namespace berth::support
