#include "cli/local/runner/call.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <poll.h>
#include <unistd.h>

namespace berth::local::runner {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int k_build_failure = 1;
constexpr int k_system_failure = 2;

/// Ends the whole job, not only the script or the program.
bool ends_job(Stop stop) {
  return stop == Stop::canceled || stop == Stop::aborted || stop == Stop::interrupted ||
         stop == Stop::job_timeout;
}

/// The steps from SIGTERM to giving up.
class Termination {
 public:
  Termination(const CustomConfig& custom, std::chrono::milliseconds finish_limit)
      : m_custom(custom), m_finish_limit(finish_limit) {}

  bool begun() const { return m_step != Step::none; }
  std::optional<TimePoint> next() const {
    if (m_step == Step::none) return std::nullopt;
    return m_give_up ? std::min(m_at, *m_give_up) : m_at;
  }

  void begin(const Child& child, Stop reason, TimePoint now) {
    if (ends_job(reason)) m_give_up = now + m_finish_limit;
    if (child.signal_group(SIGTERM)) {
      m_step = Step::term;
      m_at = now + m_custom.graceful_kill_timeout;
    } else {
      kill(child, now);
    }
  }

  /// False: nothing is left to try.
  bool advance(const Child& child, TimePoint now) {
    if (m_give_up && now >= *m_give_up) return false;
    if (now < m_at) return true;
    if (m_step == Step::kill) return false;
    kill(child, now);
    return true;
  }

 private:
  enum class Step { none, term, kill };

  void kill(const Child& child, TimePoint now) {
    child.signal_group(SIGKILL);
    m_step = Step::kill;
    m_at = now + m_custom.force_kill_timeout;
  }

  const CustomConfig& m_custom;
  std::chrono::milliseconds m_finish_limit;
  Step m_step = Step::none;
  TimePoint m_at{};
  std::optional<TimePoint> m_give_up;
};

int poll_timeout(const Scope& scope, const Termination& termination, TimePoint now) {
  std::optional<TimePoint> nearest = termination.next();
  if (!termination.begun()) {
    for (const Scope::Deadline& deadline : scope.deadlines) {
      if (!nearest || deadline.at < *nearest) nearest = deadline.at;
    }
  }
  if (!nearest) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*nearest - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

/// One read; closes the pipe at its end.
void drain(support::Fd& fd, Stream stream,
           const std::function<void(Stream, std::string_view)>& on_output) {
  char buffer[32768];
  const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
  if (got > 0) {
    on_output(stream, {buffer, static_cast<std::size_t>(got)});
  } else if (got == 0 || errno != EINTR) {
    fd.reset();
  }
}

}  // namespace

std::string_view to_string(Program program) {
  switch (program) {
    case Program::config:
      return "config";
    case Program::prepare:
      return "prepare";
    case Program::run:
      return "run";
    case Program::cleanup:
      return "cleanup";
  }
  return "";
}

void run_call(const ChildOptions& options, const CustomConfig& custom,
              std::chrono::milliseconds finish_limit, const Control& control, const Scope& scope,
              const std::function<void(Stream, std::string_view)>& on_output, CallRecord& record) {
  record.arguments = options.arguments;
  record.started = Clock::now();
  std::optional<Child> started;
  try {
    started.emplace(options);
  } catch (const support::SystemError& error) {
    record.start_error = error.what();
    record.ended = Clock::now();
    return;
  }
  Child& child = *started;
  Termination termination(custom, finish_limit);
  while (!record.end || child.output() || child.errors()) {
    const TimePoint now = Clock::now();
    if (termination.begun()) {
      if (!termination.advance(child, now)) {
        record.abandoned = !record.end;
        break;
      }
    } else if (!record.end) {
      record.stop = control.check(scope, now);
      if (record.stop != Stop::none) termination.begin(child, record.stop, now);
    }
    pollfd polled[4] = {{child.output().get(), POLLIN, 0},
                        {child.errors().get(), POLLIN, 0},
                        {record.end ? -1 : child.end_fd(), POLLIN, 0},
                        {control.wake_fd(), POLLIN, 0}};
    if (::poll(polled, 4, poll_timeout(scope, termination, now)) < 0 && errno != EINTR) break;
    if (polled[0].revents != 0) drain(child.output(), Stream::out, on_output);
    if (polled[1].revents != 0) drain(child.errors(), Stream::err, on_output);
    if (polled[3].revents != 0) control.acknowledge();
    if (!record.end) record.end = child.reap();
  }
  record.ended = Clock::now();
}

std::optional<CallFailure> judge(const CallRecord& record,
                                 const std::filesystem::path& exit_code_file) {
  const auto system = [](std::string message, int code = 0) {
    return CallFailure{CallFailure::Kind::system, code, std::move(message)};
  };
  if (!record.start_error.empty()) return system("failed to start command: " + record.start_error);
  if (record.abandoned || !record.end) return system("failed to kill process");
  const ChildEnd& end = *record.end;
  if (end.signalled) {
    return system(
        fmt::format("unknown Custom executor executable exit code -1; executable execution "
                    "terminated with: signal: {}",
                    ::strsignal(end.code)),
        -1);
  }
  if (end.code == 0) return std::nullopt;
  const std::string status = fmt::format("exit status {}", end.code);
  if (end.code == k_system_failure) return system(status, end.code);
  const auto unknown = [&](int code) {
    return system(
        fmt::format("unknown Custom executor executable exit code {}; executable execution "
                    "terminated with: {}",
                    code, status),
        code);
  };
  if (end.code != k_build_failure) return unknown(end.code);

  std::ifstream file(exit_code_file);
  if (!file) return CallFailure{CallFailure::Kind::build, k_build_failure, status};
  std::string line;
  std::getline(file, line);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  int code = 0;
  const char* first = line.data();
  // Go's Atoi takes a sign; from_chars only a minus.
  if (line.size() > 1 && line.front() == '+' && line[1] != '-') ++first;
  const auto [last, error] = std::from_chars(first, line.data() + line.size(), code);
  if (error != std::errc() || last != line.data() + line.size()) return unknown(k_system_failure);
  return CallFailure{CallFailure::Kind::build, code, "exit status " + line};
}

}  // namespace berth::local::runner
