#include "executor/environments/deployment_json.hpp"
#include "executor/environments/file_ledger.hpp"
#include "executor/environments/journal.hpp"
#include "executor/environments/names.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace berth;
using namespace berth::environments;

namespace {

Deployment deployment(const std::string& id, std::int64_t number = 0) {
  Deployment one;
  one.id = id;
  one.environment = "production";
  one.number = number;
  one.started = 1;
  return one;
}

std::string line(const Deployment& one) {
  return to_json(one, true).dump() + "\n";
}

}  // namespace

TEST_CASE("journal: cut anywhere, all whole lines are there") {
  const std::string text = line(deployment("a", 1)) + line(deployment("b", 2));
  const std::size_t first = line(deployment("a", 1)).size();
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const auto all = parse_journal(std::string_view(text).substr(0, cut), "f");
    CHECK(all.size() == (cut == text.size() ? 2U : cut >= first ? 1U : 0U));
  }
}

TEST_CASE("journal: a torn line is ended before the next one") {
  tests::TempDir directory;
  const auto file = directory.path() / "journal";
  append_to_journal(file, deployment("a", 1));
  const std::string whole = line(deployment("b", 2));
  std::ofstream(file, std::ios::app | std::ios::binary) << whole.substr(0, whole.size() / 2);
  append_to_journal(file, deployment("c", 2));
  const auto all = read_journal(file);
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == "c");
  CHECK(all[1].id == "a");
}

TEST_CASE("journal: damaged lines do not hide others") {
  const auto all = parse_journal(
      line(deployment("a", 1)) + "\x01\n{}\n[1]\n{\"id\":7}\n" + line(deployment("b", 2)), "f");
  CHECK(all.size() == 2);
}

TEST_CASE("deployment: as JSON and back, and what others may leave out") {
  Deployment one = deployment("a", 3);
  one.tier = "production";
  one.action = Action::stop;
  one.origin = Origin::promotion;
  one.of_number = 2;
  one.of_environment = "test";
  one.approved_by = {"b", "c"};
  one.break_glass = "why";
  one.ended = 100;
  one.result = Result::lost;
  one.workloads = {{.kind = "Job", .name = "x", .change = Change::removed, .manifest = "{}"}};
  CHECK(deployment_of(to_json(one, true), "f") == one);
  CHECK_FALSE(to_json(one, false)["workloads"][0].contains("manifest"));
  CHECK(to_json(one, false)["duration_s"] == 99);
  CHECK(to_json(deployment("a"), false)["ended"].is_null());
  CHECK(deployment_of(nlohmann::json{{"id", "a"}, {"new", 1}}, "f").id == "a");
  CHECK(deployment_of(nlohmann::json{{"result", "of a later version"}}, "f").result ==
        Result::lost);
  CHECK_THROWS_AS(deployment_of(nlohmann::json{{"id", 1}}, "f"), support::SystemError);
  CHECK_THROWS_AS(deployment_of(nlohmann::json::array(), "f"), support::SystemError);
  CHECK(unix_time(iso_time(1795262400)) == 1795262400);
  CHECK(unix_time("yesterday") == 0);
}

TEST_CASE("names: of directories and objects") {
  CHECK(directory_name("production") == "production");
  CHECK(directory_name("review/x") == "review%2Fx");
  CHECK(directory_name("..") == "%2E.");
  CHECK(directory_name(std::string(250, 'x')).size() < 255);
  CHECK(object_name("production").starts_with("berth-env-production-"));
  CHECK(object_name("Review/X y").starts_with("berth-env-review-x-y-"));
  CHECK(object_name("Review/X") != object_name("review/x"));
  CHECK(object_name("///").starts_with("berth-env-"));
  CHECK(object_name(std::string(250, '/') + "x").size() <= 53);
}

TEST_CASE("file ledger: a folder that cannot be made is the operator's") {
  tests::TempDir directory;
  std::ofstream(directory.path() / "file") << "x";
  const auto ledger = make_file_ledger({.root = directory.path() / "file" / "ledger"});
  CHECK_THROWS_AS(ledger->begin(deployment("a")), support::OperatorError);
}

TEST_CASE("file ledger: many processes at once lose nothing, and give no number twice") {
  tests::TempDir directory;
  constexpr int k_processes = 8;
  constexpr int k_each = 10;
  std::vector<pid_t> children;
  for (int p = 0; p < k_processes; ++p) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      int failed = 0;
      try {
        const auto ledger = make_file_ledger({.root = directory.path()});
        for (int i = 0; i < k_each; ++i) {
          const std::string id = std::to_string(p) + "-" + std::to_string(i);
          ledger->begin(deployment(id));
          ledger->finish("production", id, {.cause = id});
        }
      } catch (...) {
        failed = 1;
      }
      ::_exit(failed);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  const auto all = make_file_ledger({.root = directory.path()})->history("production", 0);
  REQUIRE(all.size() == k_processes * k_each);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].number == static_cast<std::int64_t>(all.size() - i));
    CHECK(all[i].cause == all[i].id);
  }
}
