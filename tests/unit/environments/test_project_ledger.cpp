#include "executor/environments/file_ledger.hpp"
#include "executor/environments/kubernetes_ledger.hpp"
#include "executor/environments/project_ledger.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/thrown.hpp"
#include "tests/unit/environments/fake_clock.hpp"
#include "tests/unit/environments/fake_objects.hpp"

#include <string>
#include <vector>

using namespace berth;
using namespace berth::environments;

namespace {

struct FileStore {
  std::shared_ptr<Ledger> make() {
    return make_file_ledger({.root = directory.path(), .host = "h"}, clock);
  }
  tests::TempDir directory;
  tests::FakeClock clock;
};

struct ClusterStore {
  std::shared_ptr<Ledger> make() {
    return make_kubernetes_ledger(objects.client(), {.name_space = "ledger", .host = "h"}, clock);
  }
  tests::FakeClock clock;
  tests::FakeObjects objects;
};

Deployment deployment(const std::string& id) {
  Deployment one;
  one.id = id;
  one.environment = "review/x";
  return one;
}

Claim claim(const std::string& id) {
  return {.id = id, .who = "https://gitlab/" + id, .host = "h", .until = std::int64_t{1} << 40};
}

}  // namespace

TEST_CASE("project ledger: what the shared one calls an environment") {
  CHECK(shared_name({.name = "review/x", .project = "group/polls"}) == "group/polls:review/x");
  CHECK(shared_name({.name = "review/x"}) == "review/x");
  CHECK(from_shared_name("group/polls:review/x") ==
        ProjectEnvironment{.name = "review/x", .project = "group/polls"});
  CHECK(from_shared_name("review/x") == ProjectEnvironment{.name = "review/x"});
}

TEMPLATE_TEST_CASE("project ledger: each project has its own history, numbers and lock", "",
                   FileStore, ClusterStore) {
  TestType store;
  const auto polls = of_project(store.make(), "group/polls");
  const auto shop = of_project(store.make(), "shop/web");
  REQUIRE(polls->try_lock("review/x", claim("a")).held);
  REQUIRE(shop->try_lock("review/x", claim("b")).held);
  CHECK_FALSE(polls->try_lock("review/x", claim("c")).held);
  CHECK(polls->begin(deployment("a")).number == 1);
  const Deployment other = shop->begin(deployment("b"));
  CHECK(other.number == 1);
  CHECK(other.environment == "review/x");
  shop->finish("review/x", "b", {});
  CHECK_THROWS_AS(shop->finish("review/x", "a", {}), support::SystemError);
  REQUIRE(polls->history("review/x", 0).size() == 1);
  CHECK(polls->history("review/x", 0)[0].environment == "review/x");
  CHECK(polls->history("review/x", 0)[0].result == Result::running);
  CHECK(shop->history("review/x", 0)[0].result == Result::success);
  shop->leave("review/x", "b");
  CHECK_FALSE(shop->lock_state("review/x").holder.has_value());
  CHECK(polls->lock_state("review/x").holder->id == "a");
  const Approval approval{.user = "reviewer", .project = "shop/web", .pipeline = 4};
  shop->approve("review/x", approval);
  CHECK(shop->approvals("review/x") == std::vector{approval});
  CHECK(polls->approvals("review/x").empty());

  const auto shared = store.make();
  CHECK(all_environments(*shared) ==
        std::vector<ProjectEnvironment>{{.name = "review/x", .project = "group/polls"},
                                        {.name = "review/x", .project = "shop/web"}});
  CHECK(polls->environments() == std::vector<std::string>{"review/x"});
  CHECK(shared->history("review/x", 0).empty());
}

TEMPLATE_TEST_CASE("project ledger: a lock of all projects by hand holds for each", "", FileStore,
                   ClusterStore) {
  TestType store;
  const auto shared = store.make();
  const auto polls = of_project(store.make(), "group/polls");
  REQUIRE(polls->try_lock("review/x", claim("a")).held);
  REQUIRE_FALSE(polls->try_lock("review/x", claim("b")).held);
  const ManualLock lock{.user = "on-call", .reason = "moves", .since = store.clock.seconds()};
  shared->set_manual_lock("review/x", lock);
  CHECK(polls->lock_state("review/x").manual == lock);
  // Who waits when it is made does not get in, and stays in line.
  polls->leave("review/x", "a");
  const LockAnswer answer = polls->try_lock("review/x", claim("b"));
  CHECK_FALSE(answer.held);
  CHECK(answer.position == 1);
  CHECK(answer.state.manual == lock);
  CHECK_FALSE(polls->lock_state("review/x").holder.has_value());
  // A project's own is told before it, and does not hold for others.
  const ManualLock own{.user = "reviewer", .reason = "own", .since = store.clock.seconds()};
  polls->set_manual_lock("review/x", own);
  CHECK(polls->lock_state("review/x").manual == own);
  shared->set_manual_lock("review/x", std::nullopt);
  CHECK(of_project(store.make(), "shop/web")->try_lock("review/x", claim("c")).held);
  CHECK_FALSE(polls->try_lock("review/x", claim("b")).held);
  polls->set_manual_lock("review/x", std::nullopt);
  CHECK(polls->try_lock("review/x", claim("b")).held);
}

TEST_CASE("project ledger: whose environment is meant") {
  FileStore store;
  const auto shared = store.make();
  CHECK(project_meant(*shared, "review/x", "").empty());
  CHECK(tests::message_of<support::OperatorError>([&] {
          project_meant(*shared, "review/x", "shop/web");
        }) == ("project 'shop/web' has deployed nothing to an environment "
               "'review/x'"));
  of_project(shared, "shop/web")->begin(deployment("a"));
  CHECK(project_meant(*shared, "review/x", "") == "shop/web");
  of_project(shared, "group/polls")->begin(deployment("b"));
  CHECK(project_meant(*shared, "review/x", "group/polls") == "group/polls");
  CHECK(tests::message_of<support::OperatorError>([&] {
          project_meant(*shared, "review/x", "");
        }) == ("2 projects have an environment 'review/x': group/polls, shop/web"));
  CHECK(project_meant(*shared, "review/y", "").empty());
}
