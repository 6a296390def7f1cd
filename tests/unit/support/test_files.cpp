#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <thread>

using namespace berth::support;
using berth::tests::TempDir;

TEST_CASE("files: written whole, with the mode asked for") {
  const TempDir directory;
  const auto file = directory.path() / "state.json";
  const mode_t mask = ::umask(0777);
  write_file_atomically(file, "one");
  ::umask(mask);
  CHECK(read_file(file, 3) == "one");
  struct stat info {};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  write_file_atomically(file, std::string("two\0three", 9));
  CHECK(read_file(file, 100) == std::string("two\0three", 9));
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("files: a failed write leaves the old content and no scraps") {
  const TempDir directory;
  const auto target = directory.path() / "taken";
  std::filesystem::create_directories(target / "by a directory");
  CHECK_THROWS_AS(write_file_atomically(target, "x"), SystemError);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("files: errors name the file and the reason") {
  const TempDir directory;
  const auto missing = directory.path() / "missing";
  CHECK_THROWS_WITH(read_file(missing, 10),
                    "cannot read: '" + missing.native() + "': No such file or directory");
  CHECK_FALSE(read_file_if_exists(missing, 10).has_value());
  CHECK_FALSE(read_file_if_exists(missing / "below", 10).has_value());
  CHECK_THROWS_AS(read_file_if_exists(directory.path(), 10), SystemError);
  CHECK_THROWS_WITH(write_file_atomically(missing / "x", "y"),
                    ContainsSubstring("cannot write: '" + (missing / "x").native()));
}

TEST_CASE("files: a file above the limit is refused, not cut") {
  const TempDir directory;
  const auto file = directory.path() / "big";
  write_file_atomically(file, std::string(100000, 'x'));
  CHECK(read_file(file, 100000).size() == 100000);
  CHECK_THROWS_WITH(read_file(file, 99999), ContainsSubstring("larger than 99999 bytes"));
}

TEST_CASE("files: write_all waits for a slow reader") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const std::string sent(1U << 20U, 'y');
  std::thread thread([&] {
    write_all(writer.get(), sent, "pipe");
    writer.reset();
  });
  std::string received;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
    if (got == 0) break;
    if (got > 0) received.append(buffer.data(), static_cast<std::size_t>(got));
  }
  thread.join();
  CHECK(received == sent);
}

TEST_CASE("files: random names do not repeat") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string name = random_hex(6);
    CHECK(name.size() == 12);
    CHECK(name.find_first_not_of("0123456789abcdef") == std::string::npos);
    seen.insert(name);
  }
  CHECK(seen.size() == 100);
}
