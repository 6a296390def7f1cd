#include "cli/env/env_command.hpp"
#include "executor/environments/file_ledger.hpp"
#include "executor/environments/project_ledger.hpp"
#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fcntl.h>
#include <functional>
#include <string>
#include <unistd.h>

// The verbs of `berth env` that need no cluster, on a ledger that several projects share.

using namespace berth;
using namespace berth::environments;
using nlohmann::json;

namespace {

class Operator {
 public:
  Operator() {
    support::write_file_atomically(settings(), "state_dir: " + m_directory.path().native() +
                                                   "\nenvironments:\n  rules:\n"
                                                   "    - name: production\n    - name: test*\n");
  }

  void deployed(const std::string& project, const std::string& environment) const {
    Deployment one;
    one.id = project + environment;
    one.environment = environment;
    one.project = project;
    const auto own = ledger(project);
    own->begin(one);
    own->finish(environment, one.id, {});
  }

  std::shared_ptr<Ledger> ledger(const std::string& project) const {
    return of_project(make_file_ledger({.root = m_directory.path() / "environments"}), project);
  }

  template <typename Options = cli::EnvOptions>
  Options options(const std::string& environment, const std::string& project = {}) const {
    Options all;
    all.settings = settings();
    all.environment = environment;
    all.project = project;
    return all;
  }

  /// What the command prints.
  std::string said(const std::function<int()>& command) const {
    const auto file = m_directory.path() / "said";
    std::fflush(stdout);
    const support::Fd before(::dup(STDOUT_FILENO));
    const support::Fd to(::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
    ::dup2(to.get(), STDOUT_FILENO);
    const auto give_back = [&] {
      std::fflush(stdout);
      ::dup2(before.get(), STDOUT_FILENO);
    };
    try {
      CHECK(command() == 0);
    } catch (...) {
      give_back();
      throw;
    }
    give_back();
    return support::read_file(file, 1 << 20);
  }

 private:
  std::filesystem::path settings() const { return m_directory.path() / "berth.yaml"; }

  tests::TempDir m_directory;
};

}  // namespace

TEST_CASE("env commands: each project's environments are told apart") {
  const Operator who;
  auto all = who.options("");
  CHECK_THAT(who.said([&] { return cli::run_env_list(all); }), ContainsSubstring("production"));
  who.deployed("shop/web", "production");
  auto one = who.options("production");
  one.json = all.json = true;
  const auto show = [&] { return json::parse(who.said([&] { return cli::run_env_show(one); })); };
  CHECK(show()["project"] == "shop/web");
  CHECK(show()["last"]["number"] == 1);
  who.deployed("bank/web", "production");
  who.deployed("bank/web", "testing");
  const json list = json::parse(who.said([&] { return cli::run_env_list(all); }));
  REQUIRE(list.size() == 3);
  CHECK(list[0]["project"] == "bank/web");
  CHECK(list[1]["project"] == "shop/web");
  CHECK(list[2]["environment"] == "testing");
  CHECK_THROWS_AS(cli::run_env_show(one), support::OperatorError);
  one.project = "bank/web";
  CHECK(show()["last"]["project"] == "bank/web");
  auto past = who.options<cli::EnvHistoryOptions>("production", "shop/web");
  past.json = true;
  const json history = json::parse(who.said([&] { return cli::run_env_history(past); }));
  REQUIRE(history.size() == 1);
  CHECK(history[0]["environment"] == "production");
  CHECK(history[0]["project"] == "shop/web");
  one.project = "typing/error";
  CHECK_THROWS_AS(cli::run_env_show(one), support::OperatorError);
  auto unknown = who.options("staging");
  CHECK_THROWS_AS(cli::run_env_show(unknown), support::OperatorError);
}

TEST_CASE("env commands: a lock is of all projects, unless one is named") {
  const Operator who;
  const auto is_locked = [&](const std::string& project) {
    return who.ledger(project)->lock_state("production").manual.has_value();
  };
  auto lock = who.options<cli::EnvLockOptions>("production");
  lock.reason = "moves";
  const auto unlock = [&](const std::string& project = {}) {
    const auto options = who.options("production", project);
    return who.said([&] { return cli::run_env_unlock(options); });
  };
  // Before anybody has deployed there.
  CHECK(who.said([&] { return cli::run_env_lock(lock); }) ==
        "locked 'production' until it is unlocked\n");
  CHECK(is_locked("shop/web"));
  CHECK(unlock() == "unlocked 'production'\n");
  CHECK_FALSE(is_locked("shop/web"));
  CHECK(unlock() == "'production' was not locked\n");

  who.deployed("shop/web", "production");
  who.deployed("bank/web", "production");
  lock.project = "shop/web";
  CHECK(who.said([&] { return cli::run_env_lock(lock); }) ==
        "locked 'production' of shop/web until it is unlocked\n");
  CHECK(is_locked("shop/web"));
  CHECK_FALSE(is_locked("bank/web"));
  CHECK(unlock() == "'production' was not locked\n'production' of shop/web is still locked\n");
  CHECK(unlock("shop/web") == "unlocked 'production' of shop/web\n");
  CHECK_FALSE(is_locked("shop/web"));

  // One that holds it is not stopped, and is told.
  REQUIRE(who.ledger("bank/web")
              ->try_lock("production", {.id = "x", .who = "job 7", .until = std::int64_t{1} << 40})
              .held);
  lock.project.clear();
  CHECK(who.said([&] { return cli::run_env_lock(lock); }) ==
        "locked 'production' until it is unlocked\njob 7 still runs there and is not stopped\n");
}

TEST_CASE("env commands: an approval is of a project's pipeline, before its first deployment") {
  const Operator who;
  auto approve = who.options<cli::EnvApproveOptions>("production", "shop/web");
  approve.pipeline = 40;
  CHECK_THAT(who.said([&] { return cli::run_env_approve(approve); }),
             ContainsSubstring(" approves that pipeline 40 of shop/web deploys to 'production'"));
  CHECK(who.ledger("shop/web")->approvals("production").size() == 1);
  CHECK(who.ledger("bank/web")->approvals("production").empty());
}
