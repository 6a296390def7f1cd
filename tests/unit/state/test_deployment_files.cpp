#include "executor/state/deployment.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <sys/stat.h>

using namespace berth;
namespace fs = std::filesystem;

TEST_CASE("What stood in an environment is for its owner alone, and goes with what a kill left") {
  const tests::TempDir directory;
  CHECK_FALSE(state::read_snapshot(directory.path()));
  const mode_t before = ::umask(0);
  state::write_snapshot(directory.path(), "{}");
  ::umask(before);
  struct stat info {};
  REQUIRE(::stat((directory.path() / "environment-before.json").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(state::read_snapshot(directory.path()) == "{}");

  support::write_file_atomically(directory.path() / "environment-before.json.0a1b.tmp", "half");
  support::write_file_atomically(directory.path() / "deployment.json", "stays");
  state::remove_snapshot(directory.path());
  CHECK_FALSE(state::read_snapshot(directory.path()));
  CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 1);
  CHECK(fs::exists(directory.path() / "deployment.json"));
  CHECK_NOTHROW(state::remove_snapshot(directory.path()));
  CHECK_NOTHROW(state::remove_snapshot({}));
  CHECK_NOTHROW(state::remove_snapshot(directory.path() / "none"));
}
