#include "executor/gitlab/build_exit_code.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace berth;

TEST_CASE("exit code file: a bare number, rewritten each time") {
  const tests::TempDir directory;
  const auto file = directory.path() / "build_exit_code";
  gitlab::write_build_exit_code(file, 137);
  CHECK(support::read_file(file, 100) == "137\n");
  gitlab::write_build_exit_code(file, 1);
  CHECK(support::read_file(file, 100) == "1\n");
}

TEST_CASE("exit code file: none named, and none writable") {
  CHECK_NOTHROW(gitlab::write_build_exit_code({}, 1));
  CHECK_THROWS_AS(gitlab::write_build_exit_code("/nowhere/at/all", 1), support::SystemError);
}
