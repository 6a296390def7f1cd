#include "executor/process/detached.hpp"
#include "executor/process/process.hpp"
#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace berth;
using process::ProcessResult;

namespace {

ProcessResult shell(const std::string& script, process::ProcessSpec spec = {}) {
  spec.argv = {"sh", "-c", script};
  return process::make_process_runner()->run(spec, {});
}

}  // namespace

TEST_CASE("input goes in, both outputs come out, the code is known") {
  process::ProcessSpec spec;
  spec.input = support::Secret(std::string(300000, 'i'));
  spec.max_output = 1 << 20;
  const ProcessResult result = shell("cat; echo problem >&2; exit 3", spec);
  CHECK(result.output.expose() == std::string(300000, 'i'));
  CHECK(result.errors == "problem\n");
  CHECK(result.exit_code == 3);
  CHECK_FALSE(result.signal.has_value());
  CHECK_FALSE(result.success());
  CHECK(shell("true").success());
}

TEST_CASE("input that nobody reads is no error") {
  process::ProcessSpec spec;
  spec.input = support::Secret(std::string(300000, 'i'));
  CHECK(shell("exec true", spec).success());
}

TEST_CASE("a death by signal is told from an exit code") {
  const ProcessResult result = shell("kill -9 $$");
  CHECK(result.signal == SIGKILL);
  CHECK_FALSE(result.exit_code.has_value());
}

TEST_CASE("a child that takes too long or writes too much is ended with its own children") {
  process::ProcessSpec spec;
  spec.timeout = std::chrono::milliseconds(50);
  CHECK(shell("sleep 1000 & sleep 1000", spec).ended == ProcessResult::Ended::timeout);
  spec.timeout = std::chrono::seconds(60);
  spec.max_output = 1000;
  CHECK(shell("yes", spec).ended == ProcessResult::Ended::output_limit);
}

TEST_CASE("what a grandchild holds open is not waited for") {
  process::ProcessSpec spec;
  spec.timeout = std::chrono::seconds(60);
  const ProcessResult result = shell("echo done; sleep 1000 & echo $! >&2", spec);
  CHECK(result.success());
  CHECK(result.output.expose() == "done\n");
  ::kill(std::stoi(result.errors), SIGKILL);
}

TEST_CASE("a stop ends the child") {
  const tests::TempDir dir;
  const std::filesystem::path started = dir.path() / "started";
  std::stop_source stop;
  std::jthread stopper([&] {
    while (!std::filesystem::exists(started)) std::this_thread::yield();
    stop.request_stop();
  });
  process::ProcessSpec spec;
  spec.argv = {"/bin/sh", "-c", ": > '" + started.string() + "'; sleep 1000"};
  spec.timeout = std::chrono::seconds(60);
  CHECK_THROWS_AS(process::make_process_runner()->run(spec, stop.get_token()), support::Cancelled);
}

TEST_CASE("descriptors stay here, variables go over") {
  const tests::TempDir dir;
  const support::Fd open_one(::open((dir.path() / "file").c_str(), O_CREAT | O_RDWR, 0600));
  REQUIRE(open_one.get() >= 3);
  process::ProcessSpec spec;
  spec.env = {{"BERTH_TEST", "value"}};
  const ProcessResult result = shell(
      "for f in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$f ] && [ $f != 9 ] && readlink "
      "/proc/self/fd/$f | grep file; done; echo $BERTH_TEST; [ -n \"$PATH\" ] && echo path",
      spec);
  CHECK(result.output.expose() == "value\npath\n");
}

TEST_CASE("blocked signals are not handed on") {
  sigset_t term;
  sigset_t before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  const ProcessResult result = shell("kill -TERM $$; echo survived");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(result.signal == SIGTERM);
}

TEST_CASE("programs that are not there are named") {
  const auto runner = process::make_process_runner();
  process::ProcessSpec spec;
  spec.argv = {"berth-no-such-program"};
  CHECK_THROWS_WITH(runner->run(spec, {}),
                    "cannot start program: 'berth-no-such-program': not found in PATH");
  spec.argv = {"/nowhere/program"};
  CHECK_THROWS_WITH(runner->run(spec, {}), ContainsSubstring("'/nowhere/program': No such file"));
  spec.argv = {"/etc/passwd"};
  CHECK_THROWS_WITH(runner->run(spec, {}), ContainsSubstring("Permission denied"));
}

TEST_CASE("a detached program has its descriptors, a session of its own and nothing else") {
  const tests::TempDir dir;
  const auto script = dir.path() / "program";
  std::ofstream(script) << "#!/bin/sh\n"
                           "read word\n"
                           "test -e /proc/$$/fd/$1 && echo inherited >&3\n"
                           "echo \"$word $1\" >&3\n"
                           "echo \"$(cut -d' ' -f6 /proc/$$/stat) $$\" >&3\n"
                           "echo lost; echo lost >&2\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
  REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
  const support::Fd inherited(::fcntl(in[0], F_DUPFD, 77));
  const std::string number = std::to_string(inherited.get());
  process::start_detached({script.string(), number}, std::array{in[0], out[1]});
  ::close(in[0]);
  ::close(out[1]);
  REQUIRE(::write(in[1], "word\n", 5) == 5);
  ::close(in[1]);
  std::string said;
  std::array<char, 256> bytes;
  for (ssize_t got = 0; (got = ::read(out[0], bytes.data(), bytes.size())) > 0;)
    said.append(bytes.data(), static_cast<std::size_t>(got));
  ::close(out[0]);
  const std::size_t first_end = said.find('\n');
  CAPTURE(said);
  CHECK(said.starts_with("word " + number + "\n"));
  int session = 0;
  int pid = 1;
  REQUIRE(std::sscanf(said.c_str() + first_end + 1, "%d %d", &session, &pid) == 2);
  CHECK(session == pid);
}

TEST_CASE("a detached program that is not there is an error") {
  CHECK_THROWS_AS(process::start_detached({"/nowhere/program"}, {}), support::SystemError);
}
