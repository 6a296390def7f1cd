#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace berth::support {

/// Whose fault a failure is; core/failure_policy maps it to GitLab's exit codes.
enum class Fault {
  job,             ///< the job's author can fix it: no retry
  operator_,       ///< the operator can: settings, rights, engine
  infrastructure,  ///< nobody's words are wrong: retry helps
};

/// "This stage cannot do its job." A user's failing script is never an Error
/// (core/exit_status.hpp), nor is a cancel (Cancelled).
///
/// The message reads `what failed: which object: what the server said`, lower
/// case, objects quoted, never a secret. The hint says what to do; may be empty.
class Error : public std::runtime_error {
 public:
  Error(Fault fault, const std::string& message, std::string hint = {})
      : std::runtime_error(message), m_fault(fault), m_hint(std::move(hint)) {}

  Fault fault() const noexcept { return m_fault; }
  const std::string& hint() const noexcept { return m_hint; }

 private:
  Fault m_fault;
  std::string m_hint;
};

class JobError : public Error {
 public:
  explicit JobError(const std::string& message, std::string hint = {})
      : Error(Fault::job, message, std::move(hint)) {}
};

class OperatorError : public Error {
 public:
  explicit OperatorError(const std::string& message, std::string hint = {})
      : Error(Fault::operator_, message, std::move(hint)) {}
};

class SystemError : public Error {
 public:
  explicit SystemError(const std::string& message, std::string hint = {})
      : Error(Fault::infrastructure, message, std::move(hint)) {}
};

/// The runner told this stage to stop. Not an Error, so that no handler of
/// errors can swallow it.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

}  // namespace berth::support
