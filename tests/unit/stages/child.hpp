#pragma once

#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace berth::tests {

/// A child process with exactly this environment and both outputs on pipes.
class Child {
 public:
  using Environment = std::map<std::string, std::string>;

  Child(const std::string& program, const std::vector<std::string>& arguments,
        const Environment& environment);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Kills a child that was not waited for.
  ~Child();

  pid_t pid() const noexcept { return m_pid; }
  /// Up to and including the next newline of standard output.
  std::string read_line();
  void close_output();

  struct Result {
    /// Exit code, or -signal.
    int code = 0;
    std::string output;
    std::string errors;
  };
  /// Reads both outputs to their end and waits.
  Result wait();

 private:
  pid_t m_pid = -1;
  int m_output = -1;
  int m_errors = -1;
};

}  // namespace berth::tests
