#pragma once

#include "executor/support/fd.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace berth::tests {

/// A stage program as the runner starts it: an environment of its own, a process
/// group of its own, stdin from /dev/null, stdout and stderr on two pipes.
class StageProcess {
 public:
  enum class Stdout { pipe, closed };

  StageProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments,
               const std::map<std::string, std::string>& environment, Stdout out = Stdout::pipe);
  StageProcess(const StageProcess&) = delete;
  StageProcess& operator=(const StageProcess&) = delete;
  /// Kills what still runs.
  ~StageProcess();

  /// Reads stdout until it holds `word`; all of it so far is in output().
  void read_until(std::string_view word);
  /// The runner does not want to hear more.
  void close_stdout() { m_out.reset(); }
  /// To the whole group, as the runner does.
  void signal(int number) const;
  /// Reads both pipes to their end; the exit code, or 128 + signal.
  int wait();

  const std::string& output() const { return m_output; }
  const std::string& errors() const { return m_errors; }

 private:
  bool read_some();

  pid_t m_pid = -1;
  support::Fd m_out;
  support::Fd m_err;
  std::string m_output;
  std::string m_errors;
};

}  // namespace berth::tests
