#include "executor/state/sandbox.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <sys/stat.h>

using namespace berth;

TEST_CASE("sandbox file: what is written is read again") {
  const tests::TempDir directory;
  CHECK_FALSE(state::read_sandbox(directory.path()).has_value());
  const core::Sandbox sandbox{.backend = "docker",
                              .values = {{"helper.id", "abc"}, {"helper.nonce", ""}}};
  state::write_sandbox(directory.path(), sandbox);
  CHECK(state::read_sandbox(directory.path()) == sandbox);
  struct stat info {};
  REQUIRE(::stat((directory.path() / "sandbox.json").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
}

TEST_CASE("sandbox file: damaged, or of another version") {
  const tests::TempDir directory;
  const auto write = [&](const std::string& text) {
    support::write_file_atomically(directory.path() / "sandbox.json", text);
  };
  write(R"({"version":9,"backend":"docker","values":{}})");
  CHECK_THROWS_WITH(state::read_sandbox(directory.path()),
                    StartsWith("state of another version of Berth"));
  write(R"({"version":1,"backend":"docker","values":{"a":1}})");
  CHECK_THROWS_WITH(state::read_sandbox(directory.path()), ContainsSubstring("(/values/a)"));
  write(R"({"version":1,"backend":"docker"})");
  CHECK_THROWS_AS(state::read_sandbox(directory.path()), support::SystemError);
  write("{");
  CHECK_THROWS_AS(state::read_sandbox(directory.path()), support::SystemError);
  CHECK_THROWS_WITH(state::read_sandbox({}), "TMPDIR is not set");
}
