#include "stages/run_log.hpp"

#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <thread>
#include <unistd.h>

using namespace berth;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  support::Fd reader;
  support::Fd writer;

  explicit Pipe(int flags = O_CLOEXEC) {
    std::array<int, 2> pair{};
    REQUIRE(::pipe2(pair.data(), flags) == 0);
    reader = support::Fd(pair[0]);
    writer = support::Fd(pair[1]);
  }
  std::string read_all() {
    std::string text;
    std::array<char, 65536> buffer;
    for (ssize_t got; (got = ::read(reader.get(), buffer.data(), buffer.size())) > 0;)
      text.append(buffer.data(), static_cast<std::size_t>(got));
    return text;
  }
};

std::string binary(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 7 + i / 251) & 0xff);
  return bytes;
}

}  // namespace

TEST_CASE("a slow reader gets every byte", "[run_log]") {
  const int flags = GENERATE(O_CLOEXEC, O_CLOEXEC | O_NONBLOCK);
  Pipe pipe(flags);
  ::fcntl(pipe.reader.get(), F_SETFL, 0);
  std::string got;
  std::thread reader([&] { got = pipe.read_all(); });
  stages::JobLog log(pipe.writer.get(), {});
  log.write(binary(300000));
  log.write("");
  log.write("tail");
  pipe.writer.reset();
  reader.join();
  CHECK(got == binary(300000) + "tail");
}

TEST_CASE("a log that the runner closed is a system failure", "[run_log]") {
  std::signal(SIGPIPE, SIG_IGN);  // as stage_main does
  Pipe pipe;
  pipe.reader.reset();
  stages::JobLog log(pipe.writer.get(), {});
  CHECK_THROWS_WITH(log.write("x"), ContainsSubstring("cannot write the job log") &&
                                        ContainsSubstring("Broken pipe"));
  CHECK_THROWS_AS(log.write("x"), support::SystemError);
  CHECK_THROWS_AS(stages::JobLog(-1, {}), support::SystemError);
}

TEST_CASE("a full log does not outlast a stop request", "[run_log]") {
  Pipe pipe;
  std::stop_source stop;
  stages::JobLog log(pipe.writer.get(), stop.get_token(), 10ms);
  SECTION("made before") {
    stop.request_stop();
    CHECK_THROWS_AS(log.write(binary(1 << 20)), support::Cancelled);
  }
  SECTION("made while the write waits") {
    // The pipe holds 64 KiB; when they are there the writer can only be waiting.
    std::thread stopper([&] {
      char byte = 0;
      if (::read(pipe.reader.get(), &byte, 1) == 1) stop.request_stop();
    });
    CHECK_THROWS_AS(log.write(binary(1 << 20)), support::Cancelled);
    stopper.join();
  }
}

TEST_CASE("a stop request alone loses no output", "[run_log]") {
  Pipe pipe;
  std::stop_source stop;
  stop.request_stop();
  std::string got;
  std::thread reader([&] { got = pipe.read_all(); });
  stages::JobLog log(pipe.writer.get(), stop.get_token(), 60s);
  log.write(binary(200000));
  pipe.writer.reset();
  reader.join();
  CHECK(got == binary(200000));
}

TEST_CASE("a log may be a file", "[run_log]") {
  tests::TempDir temp;
  const auto path = temp.path() / "log";
  support::Fd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  stages::JobLog(file.get(), {}).write(binary(3000000));
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  CHECK(text.str() == binary(3000000));
}
