#include "tests/support/agent_process.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::tests {
namespace {

/// Only a hanging agent is waited for so long.
constexpr int k_limit_ms = 60'000;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// Closes what it holds.
struct Descriptor {
  int fd;
  explicit Descriptor(int number) : fd(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool has_key(const std::string& keys, const std::string& name) {
  return (";" + keys).find(";" + name + "=") != std::string::npos;
}

std::vector<std::string> make_environment(const AgentOptions& options,
                                          const std::filesystem::path& dir) {
  std::string keys = options.keys;
  if (!has_key(keys, "run")) keys = "run=" + (dir / "run").string() + ";" + keys;
  if (!has_key(keys, "lease")) keys = "lease=" + (dir / "lease").string() + ";" + keys;
  while (!keys.empty() && keys.back() == ';') keys.pop_back();
  std::map<std::string, std::string> environment{
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"BERTH_AGENT", keys},
      {"UBSAN_OPTIONS", "print_stacktrace=1"}};
  for (const auto& [name, value] : options.environment) environment[name] = value;
  std::vector<std::string> lines;
  for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

int namespace_flags() {
  return CLONE_NEWPID | CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER);
}

// The rest of this namespace runs between fork and exec.

void write_whole(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)!::write(fd, text.data(), text.size());
  ::close(fd);
}

/// Enters new namespaces; the next child is the first process there.
bool enter_namespaces(uid_t uid, gid_t gid) {
  if (::unshare(namespace_flags()) != 0) return false;
  if ((namespace_flags() & CLONE_NEWUSER) != 0) {
    write_whole("/proc/self/setgroups", "deny");
    write_whole("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
    write_whole("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
  }
  return true;
}

bool mount_proc() {
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("proc", "/proc", "proc", 0, nullptr) == 0;
}

struct Launch {
  std::string program;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::string directory;
  int log;
};

/// Takes the test framework's handlers away, whose reports are not ours to make.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_program(const Launch& launch) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(launch.log, STDOUT_FILENO);
  ::dup2(launch.log, STDERR_FILENO);
  if (::chdir(launch.directory.c_str()) == 0) {
    ::execve(launch.program.c_str(), launch.arguments.data(), launch.environment.data());
  }
  ::dprintf(STDERR_FILENO, "%s: %s\n", launch.program.c_str(), std::strerror(errno));
  ::_exit(127);
}

/// Ends as `status` of waitpid says.
[[noreturn]] void end_like(int status) {
  if (WIFSIGNALED(status)) {
    ::signal(WTERMSIG(status), SIG_DFL);
    ::kill(::getpid(), WTERMSIG(status));
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

/// The first process above an agent: ends with it, and all else with this one.
[[noreturn]] void wait_above(const Launch& launch) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const pid_t agent = ::fork();
  if (agent == 0) run_program(launch);
  int status = 0;
  for (pid_t pid = 0; pid != agent;) pid = ::waitpid(-1, &status, 0);
  end_like(status);
}

/// Starts the program as the first process of new namespaces and answers its pid
/// as this machine sees it. A helper in between ends with its status.
[[noreturn]] void run_in_namespaces(const Launch& launch, AgentPlace place, uid_t uid, gid_t gid,
                                    int report) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!enter_namespaces(uid, gid)) {
    ::dprintf(launch.log, "unshare: %s\n", std::strerror(errno));
    ::_exit(127);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(report);
    if (!mount_proc()) {
      ::dprintf(launch.log, "mount /proc: %s\n", std::strerror(errno));
      ::_exit(127);
    }
    if (place == AgentPlace::below_first) wait_above(launch);
    run_program(launch);
  }
  (void)!::write(report, &child, sizeof child);
  ::close(report);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  end_like(status);
}

}  // namespace

std::string agent_program(AgentBuild build) {
  return build == AgentBuild::real ? BERTH_TEST_AGENT : BERTH_TEST_AGENT_HOST;
}

bool can_make_namespaces() {
  const uid_t uid = ::getuid();
  const gid_t gid = ::getgid();
  const pid_t probe = ::fork();
  if (probe == 0) {
    if (!enter_namespaces(uid, gid)) ::_exit(1);
    const pid_t first = ::fork();
    if (first == 0) ::_exit(mount_proc() ? 0 : 1);
    int status = 1;
    ::waitpid(first, &status, 0);
    ::_exit(status == 0 ? 0 : 1);
  }
  int status = 1;
  ::waitpid(probe, &status, 0);
  return status == 0;
}

AgentProcess::AgentProcess(const AgentOptions& options) : m_place(options.place) {
  std::filesystem::create_directory(run_dir());
  std::vector<std::string> arguments{agent_program(options.build)};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<std::string> environment = make_environment(options, dir());
  const Descriptor log(
      ::open((dir() / "log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  const Launch launch{.program = arguments.front(),
                      .arguments = pointers(arguments),
                      .environment = pointers(environment),
                      .directory = options.working_directory.empty()
                                       ? dir().string()
                                       : options.working_directory.string(),
                      .log = log.fd};
  std::array<int, 2> report{};
  if (::pipe2(report.data(), O_CLOEXEC) != 0) fail("pipe");
  const Descriptor report_in(report[0]);
  const uid_t uid = ::getuid();
  const gid_t gid = ::getgid();
  // A signal that comes before exec waits for the child's own dispositions.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  m_child = ::fork();
  if (m_child != 0) ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (m_child < 0) fail("fork");
  if (m_child == 0) {
    reset_signals();
    if (options.place != AgentPlace::beside) {
      run_in_namespaces(launch, options.place, uid, gid, report[1]);
    }
    run_program(launch);
  }
  ::close(report[1]);
  m_pid = m_child;
  if (options.place != AgentPlace::beside &&
      ::read(report_in.fd, &m_pid, sizeof m_pid) != sizeof m_pid) {
    ::waitpid(m_child, nullptr, 0);
    throw std::runtime_error("no PID namespace for the agent: " + this->log());
  }
  if (options.await_socket) await_socket();
}

void AgentProcess::await_socket() {
  const Descriptor watch(::inotify_init1(IN_CLOEXEC));
  if (watch.fd < 0 ||
      ::inotify_add_watch(watch.fd, run_dir().c_str(), IN_CREATE | IN_MOVED_TO | IN_ATTRIB) < 0) {
    fail("inotify");
  }
  const Descriptor ended(open_pidfd(m_child));
  for (;;) {
    // Asked first: the events may all have come before the watch is read.
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket().string().copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    const Descriptor knock(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(knock.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return;
    }
    std::array<pollfd, 2> fds{{{watch.fd, POLLIN, 0}, {ended.fd, POLLIN, 0}}};
    // A socket stands a moment before it listens, and no event tells of that.
    if (::poll(fds.data(), fds.size(), 20) < 0 && errno != EINTR) fail("poll");
    if (fds[1].revents != 0) {
      ::waitpid(m_child, nullptr, 0);
      throw std::runtime_error("the agent ended before it listened: " + log());
    }
    if (fds[0].revents != 0) {
      std::array<char, sizeof(inotify_event) + NAME_MAX + 1> event{};
      (void)!::read(watch.fd, event.data(), event.size());
    }
  }
}

AgentProcess::~AgentProcess() {
  if (m_child <= 0 || m_status) return;
  const Descriptor ended(open_pidfd(m_child));
  // A first process that only waits hears no SIGTERM, and may go at once.
  ::kill(m_pid, m_place == AgentPlace::below_first ? SIGKILL : SIGTERM);
  pollfd gone{ended.fd, POLLIN, 0};
  if (::poll(&gone, 1, 10'000) <= 0) ::kill(m_pid, SIGKILL);
  ::waitpid(m_child, nullptr, 0);
}

int AgentProcess::connect() const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket().string();
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("path too long: " + path);
  path.copy(static_cast<char*>(address.sun_path), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    fail("connect " + path);
  }
  return fd;
}

void AgentProcess::kill(int signal) const {
  if (!m_status && ::kill(m_pid, signal) != 0) fail("kill");
}

int AgentProcess::wait() {
  if (m_status) return *m_status;
  const Descriptor ended(open_pidfd(m_child));
  pollfd gone{ended.fd, POLLIN, 0};
  if (::poll(&gone, 1, k_limit_ms) <= 0)
    throw std::runtime_error("the agent does not end: " + log());
  int status = 0;
  if (::waitpid(m_child, &status, 0) != m_child) fail("waitpid");
  m_status = status;
  return status;
}

std::string AgentProcess::log() const {
  return read_file(dir() / "log");
}

}  // namespace berth::tests
