#include "agent/watchdog.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sys/stat.h>

using namespace berth::agent;
using namespace std::chrono_literals;

namespace {

Options options_at(const std::filesystem::path& lease) {
  Options options;
  options.lease = lease.string();
  options.orphan = 60s;
  return options;
}

const Watchdog::TimePoint k_start{1000h};

void move_lease(const std::filesystem::path& lease) {
  // Any change counts, whatever the clock that made it.
  std::filesystem::last_write_time(lease, std::filesystem::last_write_time(lease) - 24h);
}

}  // namespace

TEST_CASE("without a driver the container ends after the orphan time") {
  const berth::tests::TempDir dir;
  Watchdog watchdog(options_at(dir.path() / "lease"), k_start);
  REQUIRE(watchdog.tick(k_start + 60s, 5) == Verdict::live);
  REQUIRE(watchdog.tick(k_start + 61s, 5) == Verdict::orphaned);
}

TEST_CASE("a driver heard since the last look touches the lease, once") {
  const berth::tests::TempDir dir;
  const auto lease = dir.path() / "lease";
  Watchdog watchdog(options_at(lease), k_start);
  REQUIRE(watchdog.tick(k_start + 10s, 5) == Verdict::live);
  REQUIRE_FALSE(std::filesystem::exists(lease));
  watchdog.heard();
  REQUIRE(watchdog.tick(k_start + 20s, 5) == Verdict::live);
  struct stat info {};
  REQUIRE(::stat(lease.c_str(), &info) == 0);
  REQUIRE((info.st_mode & 0777) == 0666);
  move_lease(lease);
  const auto moved = std::filesystem::last_write_time(lease);
  REQUIRE(watchdog.tick(k_start + 30s, 5) == Verdict::live);
  REQUIRE(std::filesystem::last_write_time(lease) == moved);
  REQUIRE(watchdog.tick(k_start + 90s, 5) == Verdict::live);
  REQUIRE(watchdog.tick(k_start + 91s, 5) == Verdict::orphaned);
}

TEST_CASE("another agent's touch keeps this one alive") {
  const berth::tests::TempDir dir;
  const auto lease = dir.path() / "lease";
  std::ofstream(lease).close();
  Watchdog watchdog(options_at(lease), k_start);
  move_lease(lease);
  REQUIRE(watchdog.tick(k_start + 50s, 5) == Verdict::live);
  REQUIRE(watchdog.tick(k_start + 110s, 5) == Verdict::live);
  REQUIRE(watchdog.tick(k_start + 111s, 5) == Verdict::orphaned);
}

TEST_CASE("a directory holds the lease under its name") {
  const berth::tests::TempDir dir;
  REQUIRE(Lease(dir.path().string()).path() == (dir.path() / "lease").string());
  REQUIRE(Lease(dir.path().string()).touch());
  REQUIRE(std::filesystem::is_regular_file(dir.path() / "lease"));
}

TEST_CASE("a lease that the job replaced by a link is not followed") {
  const berth::tests::TempDir dir;
  const auto victim = dir.path() / "victim";
  std::ofstream(victim).close();
  move_lease(victim);
  const auto before = std::filesystem::last_write_time(victim);
  std::filesystem::create_symlink(victim, dir.path() / "lease");
  REQUIRE_FALSE(Lease((dir.path() / "lease").string()).touch());
  REQUIRE(std::filesystem::last_write_time(victim) == before);
}

TEST_CASE("a lease's volume is filled with what no filesystem makes less of") {
  const berth::tests::TempDir dir;
  Options options = options_at(dir.path());
  Watchdog(options, k_start).overfill();
  REQUIRE(std::filesystem::is_empty(dir.path()));
  options.overfill = 200'000;
  // Both agents of a job may do so.
  Watchdog(options, k_start).overfill();
  Watchdog(options, k_start).overfill();
  std::set<std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    REQUIRE(text.size() == 200'000);
    REQUIRE(std::set<char>(text.begin(), text.end()).size() == 256);
    REQUIRE(text.substr(0, 50'000) != text.substr(65'536, 50'000));
    texts.insert(text);
  }
  REQUIRE(texts.size() == 2);
}

TEST_CASE("the deadline is a time of day, and holds whatever the lease says") {
  const berth::tests::TempDir dir;
  Options options = options_at(dir.path() / "lease");
  options.deadline = 1000;
  options.orphan = 0s;
  Watchdog watchdog(options, k_start);
  watchdog.heard();
  REQUIRE(watchdog.tick(k_start + 100h, 999) == Verdict::live);
  watchdog.heard();
  REQUIRE(watchdog.tick(k_start + 100h, 1000) == Verdict::past_deadline);
}
