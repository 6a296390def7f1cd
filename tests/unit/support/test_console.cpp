#include "executor/support/console.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"
#include "executor/support/log.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <csignal>
#include <fcntl.h>
#include <functional>

using namespace berth::support;

namespace {

std::string printed(bool color, const std::function<void(StreamConsole&)>& action) {
  const berth::tests::TempDir directory;
  const auto file = directory.path() / "log";
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  StreamConsole console(fd.get(), color);
  action(console);
  return read_file(file, 10000);
}

}  // namespace

TEST_CASE("console: lines, warnings and errors in the runner's colours") {
  CHECK(printed(true, [](auto& console) { console.line("pulling 'x'"); }) ==
        "berth: pulling 'x'\n");
  CHECK(printed(true, [](auto& console) { console.warning("slow"); }) ==
        "\x1b[0;33mWARNING: slow\x1b[0;m\n");
  CHECK(printed(true, [](auto& console) { console.error("broken", "mend it"); }) ==
        "\x1b[31;1mERROR: broken\x1b[0;m\n\x1b[31;1mHINT: mend it\x1b[0;m\n");
  CHECK(printed(false, [](auto& console) { console.error("broken", ""); }) == "ERROR: broken\n");
}

TEST_CASE("console: each line of a text is coloured for itself") {
  CHECK(printed(true, [](auto& console) { console.warning("a\nb"); }) ==
        "\x1b[0;33mWARNING: a\x1b[0;m\n\x1b[0;33mb\x1b[0;m\n");
}

TEST_CASE("console: a reader that has gone is no error") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  Fd reader(ends[0]);
  const Fd writer(ends[1]);
  reader.reset();
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  StreamConsole console(writer.get(), false);
  CHECK_NOTHROW(console.line("nobody hears"));
  std::signal(SIGPIPE, before);
}

TEST_CASE("log: BERTH_LOG's words") {
  CHECK(parse_log_level("debug") == 0);
  CHECK(parse_log_level("info") == 1);
  CHECK(parse_log_level("warn") == 2);
  CHECK(parse_log_level("") == 3);
  CHECK(parse_log_level("loud") == 3);
}
