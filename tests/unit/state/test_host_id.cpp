#include "executor/state/host_id.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <set>
#include <thread>
#include <unistd.h>

using namespace berth;
using state::host_id;

TEST_CASE("host id: kept in the state folder, the same for sibling TMPDIRs") {
  const tests::TempDir directory;
  const auto state_dir = directory.path() / "deep" / "state";
  std::filesystem::create_directories(directory.path() / "tmp" / "a");
  std::filesystem::create_directories(directory.path() / "tmp" / "b");
  std::filesystem::create_directories(directory.path() / "other" / "a");
  const std::string first = host_id(state_dir, directory.path() / "tmp" / "a");
  CHECK(host_id(state_dir, directory.path() / "tmp" / "b") == first);
  // Runners in two containers may share the state folder, but not their TMPDIRs.
  CHECK(host_id(state_dir, directory.path() / "other" / "a") != first);
  // And the other way round.
  CHECK(host_id(directory.path() / "state2", directory.path() / "tmp" / "a") != first);
}

TEST_CASE("host id: found again when the attempt's directory is gone") {
  const tests::TempDir directory;
  const auto tmpdir = directory.path() / "tmp";
  std::filesystem::create_directories(tmpdir);
  const std::string first = host_id(directory.path() / "state", tmpdir);
  CHECK(first.substr(0, 16).find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(host_id(directory.path() / "state", {}) == first.substr(0, 16) + "-0:0");
}

TEST_CASE("host id: a damaged file is replaced") {
  const tests::TempDir directory;
  support::write_file_atomically(directory.path() / "host-id", "");
  const std::string first = host_id(directory.path(), directory.path());
  CHECK(first.size() > 16);
  CHECK(host_id(directory.path(), directory.path()) == first);
}

TEST_CASE("host id: processes that ask at once agree") {
  for (int round = 0; round < 20; ++round) {
    const tests::TempDir directory;
    std::array<std::string, 4> ids;
    std::vector<std::thread> threads;
    threads.reserve(ids.size());
    for (std::string& id : ids) {
      threads.emplace_back([&] { id = host_id(directory.path() / "s", directory.path()); });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 1);
    CHECK(std::distance(std::filesystem::directory_iterator(directory.path() / "s"), {}) == 1);
  }
}

TEST_CASE("host id: a state folder that cannot be made is the operator's matter") {
  const tests::TempDir directory;
  support::write_file_atomically(directory.path() / "file", "x");
  CHECK_THROWS_AS(host_id(directory.path() / "file" / "state", directory.path()),
                  support::OperatorError);
  CHECK_THROWS_WITH(host_id(directory.path() / "file" / "state", directory.path()),
                    ContainsSubstring("cannot make Berth's state folder"));
}

TEST_CASE("a TMPDIR that is gone is judged by who can see where it was") {
  const tests::TempDir tmp;
  const auto state = tmp.path() / "state";
  const auto tmpdir = tmp.path() / "executor1";
  CHECK_FALSE(state::is_host_of("any", state, tmpdir));
  std::filesystem::create_directory(tmpdir);
  const std::string host = state::host_id(state, tmpdir);
  CHECK(state::is_host_of(host, state, tmpdir));
  std::filesystem::remove(tmpdir);
  CHECK(state::is_host_of(host, state, tmpdir));
  CHECK_FALSE(state::is_host_of(host, state, tmp.path() / "elsewhere" / "executor1"));
  CHECK_FALSE(state::is_host_of(host, tmp.path() / "other-state", tmpdir));
  CHECK_FALSE(std::filesystem::exists(tmp.path() / "other-state"));
  CHECK_FALSE(state::is_host_of(host, state, "executor1"));
}
