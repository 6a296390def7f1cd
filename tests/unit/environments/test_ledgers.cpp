// What every store of the ledger does.
#include "executor/environments/file_ledger.hpp"
#include "executor/environments/heartbeat.hpp"
#include "executor/environments/kubernetes_ledger.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/environments/fake_clock.hpp"
#include "tests/unit/environments/fake_objects.hpp"

#include <string>

using namespace berth;
using namespace berth::environments;

namespace {

/// Two managers of one ledger.
struct FileStore {
  std::unique_ptr<Ledger> make(const std::string& host = "h1") {
    return make_file_ledger({.root = directory.path() / "ledger", .keep = 5, .host = host}, clock);
  }
  tests::TempDir directory;
  tests::FakeClock clock;
};

struct ClusterStore {
  std::unique_ptr<Ledger> make(const std::string& host = "h1") {
    return make_kubernetes_ledger(objects.client(),
                                  {.name_space = "ledger", .keep = 5, .host = host}, clock);
  }
  tests::TempDir directory;
  tests::FakeClock clock;
  tests::FakeObjects objects;
};

Deployment deployment(const std::string& id, const std::string& environment = "production") {
  Deployment one;
  one.id = id;
  one.environment = environment;
  one.user = "release-bot";
  one.job_url = "https://gitlab/" + id;
  return one;
}

template <typename Store>
Claim claim(Store& store, const std::string& id, const std::string& host = "h1") {
  return {.id = id,
          .user = "release-bot",
          .who = "https://gitlab/" + id,
          .host = host,
          .until = store.clock.seconds() + 3600,
          .heartbeat = (store.directory.path() / "heartbeats" / id).native(),
          .silence = std::chrono::seconds(900)};
}

}  // namespace

TEMPLATE_TEST_CASE("ledger: nothing is known of nothing", "", FileStore, ClusterStore) {
  TestType store;
  const auto ledger = store.make();
  CHECK(ledger->environments().empty());
  CHECK(ledger->history("production", 0).empty());
  CHECK(ledger->approvals("production").empty());
  CHECK(ledger->lock_state("production") == LockState{});
  CHECK_NOTHROW(ledger->leave("production", "x"));
  CHECK(ledger->environments().empty());
}

TEMPLATE_TEST_CASE("ledger: a deployment from begin to end", "", FileStore, ClusterStore) {
  TestType store;
  const auto ledger = store.make();
  const Deployment begun = ledger->begin(deployment("a"));
  CHECK(begun.number == 1);
  CHECK(begun.started == store.clock.seconds());
  CHECK(begun.result == Result::running);
  // Known already: a repeated call of a killed program.
  CHECK(ledger->begin(deployment("a")) == begun);
  store.clock.pass(60);
  Conclusion conclusion{.result = Result::failed,
                        .cause = "image 'x' cannot be pulled",
                        .cluster = "https://k8s",
                        .name_space = "shop"};
  conclusion.workloads = {{.kind = "Deployment",
                           .name_space = "shop",
                           .name = "web",
                           .change = Change::updated,
                           .containers = {{"web", "web:2", "sha256:1"}},
                           .revision_before = 3,
                           .revision_after = 4,
                           .manifest = "{\"kind\":\"Deployment\"}"}};
  ledger->finish("production", "a", conclusion);
  CHECK(ledger->begin(deployment("b")).number == 2);
  // Another process reads the same.
  const auto history = store.make()->history("production", 0);
  REQUIRE(history.size() == 2);
  CHECK(history[0].id == "b");
  Deployment expected = begun;
  expected.result = Result::failed;
  expected.cause = conclusion.cause;
  expected.ended = begun.started + 60;
  expected.workloads = conclusion.workloads;
  expected.cluster = "https://k8s";
  expected.name_space = "shop";
  CHECK(history[1] == expected);
  CHECK(ledger->history("production", 1).size() == 1);
  CHECK_THROWS_AS(ledger->finish("production", "zzz", conclusion), support::SystemError);
}

TEMPLATE_TEST_CASE("ledger: the last word about an end counts, and keeps what it does not say", "",
                   FileStore, ClusterStore) {
  TestType store;
  const auto ledger = store.make();
  ledger->begin(deployment("a"));
  Conclusion first{.result = Result::success, .cluster = "c"};
  first.workloads = {{.kind = "Job", .name = "x"}};
  ledger->finish("production", "a", first);
  ledger->finish("production", "a", {.result = Result::failed, .cause = "step_release failed"});
  const Deployment one = ledger->history("production", 0).at(0);
  CHECK(one.result == Result::failed);
  CHECK(one.cluster == "c");
  CHECK(one.workloads == first.workloads);
}

TEMPLATE_TEST_CASE("ledger: environments of any name stay apart", "", FileStore, ClusterStore) {
  TestType store;
  const auto ledger = store.make();
  const std::vector<std::string> names{"..",
                                       ".hidden",
                                       "PRODUCTION",
                                       "a b",
                                       "production",
                                       "review%2Fx",
                                       "review/x",
                                       std::string(250, 'x'),
                                       std::string(249, 'x') + "y"};
  for (const std::string& name : names) ledger->begin(deployment("id-of-it", name));
  CHECK(ledger->environments() == names);
  for (const std::string& name : names) {
    REQUIRE(ledger->history(name, 0).size() == 1);
    CHECK(ledger->history(name, 0)[0].environment == name);
  }
}

TEMPLATE_TEST_CASE("ledger: old deployments are forgotten, numbers are not used again", "",
                   FileStore, ClusterStore) {
  TestType store;
  const auto ledger = store.make();
  for (int i = 1; i <= 23; ++i) {
    CHECK(ledger->begin(deployment("id" + std::to_string(i))).number == i);
  }
  const auto history = ledger->history("production", 0);
  CHECK(history.size() >= 5);
  CHECK(history.size() <= 11);
  CHECK(history.front().number == 23);
  CHECK(history.back().number == 23 - static_cast<std::int64_t>(history.size()) + 1);
}

TEMPLATE_TEST_CASE("ledger: one has the lock, others see place and holder", "", FileStore,
                   ClusterStore) {
  TestType store;
  const auto first = store.make();
  const auto second = store.make("h2");
  const Claim a = claim(store, "a");
  const Claim b = claim(store, "b", "h2");
  make_heartbeat(a.heartbeat, store.clock.seconds());
  CHECK(first->try_lock("production", a).held);
  CHECK(first->try_lock("production", a).held);
  const LockAnswer answer = second->try_lock("production", b);
  CHECK_FALSE(answer.held);
  CHECK(answer.position == 1);
  CHECK(answer.state.holder->who == "https://gitlab/a");
  CHECK(second->try_lock("staging", claim(store, "c")).held);
  const LockState state = first->lock_state("production");
  CHECK(state.holder->id == "a");
  REQUIRE(state.waiting.size() == 1);
  CHECK(state.waiting[0].id == "b");
  first->leave("production", "a");
  first->leave("production", "a");
  CHECK(second->try_lock("production", b).held);
}

TEMPLATE_TEST_CASE("ledger: a killed holder's lock ends when its containers have", "", FileStore,
                   ClusterStore) {
  TestType store;
  const auto ledger = store.make();
  const auto elsewhere = store.make("h2");
  const Claim a = claim(store, "a");
  make_heartbeat(a.heartbeat, store.clock.seconds());
  REQUIRE(ledger->try_lock("production", a).held);
  store.clock.pass(900);
  const Claim b = claim(store, "b");
  const Claim c = claim(store, "c", "h2");
  CHECK_FALSE(ledger->try_lock("production", b).held);
  // A touch, and it lives on.
  REQUIRE(touch_heartbeat(a.heartbeat, store.clock.seconds()));
  store.clock.pass(900);
  CHECK_FALSE(ledger->try_lock("production", b).held);
  CHECK_FALSE(elsewhere->try_lock("production", c).held);
  CHECK(ledger->lock_state("production").holder.has_value());
  store.clock.pass(1);
  CHECK_FALSE(ledger->lock_state("production").holder.has_value());
  // Elsewhere the file cannot be seen.
  CHECK_FALSE(elsewhere->try_lock("production", c).held);
  const LockAnswer answer = ledger->try_lock("production", b);
  CHECK(answer.held);
  CHECK(answer.ended->id == "a");
  // The holder, if it was only stopped, learns of it.
  CHECK_FALSE(touch_heartbeat(a.heartbeat, store.clock.seconds()));
}

TEMPLATE_TEST_CASE("ledger: no lock outlives the job's time", "", FileStore, ClusterStore) {
  TestType store;
  const auto ledger = store.make();
  const auto elsewhere = store.make("h2");
  Claim a = claim(store, "a");
  make_heartbeat(a.heartbeat, store.clock.seconds());
  REQUIRE(ledger->try_lock("production", a).held);
  store.clock.pass(3600);
  make_heartbeat(a.heartbeat, store.clock.seconds());
  CHECK(elsewhere->try_lock("production", claim(store, "b", "h2")).held);
}

TEMPLATE_TEST_CASE("ledger: locks by hand and approvals", "", FileStore, ClusterStore) {
  TestType store;
  const auto ledger = store.make();
  const ManualLock lock{.user = "reviewer",
                        .reason = "moves",
                        .since = store.clock.seconds(),
                        .until = store.clock.seconds() + 60};
  ledger->set_manual_lock("production", lock);
  CHECK(store.make()->lock_state("production").manual == lock);
  CHECK_FALSE(ledger->try_lock("production", claim(store, "a")).held);
  ledger->set_manual_lock("production", std::nullopt);
  CHECK_FALSE(ledger->lock_state("production").manual.has_value());
  make_heartbeat(claim(store, "a").heartbeat, store.clock.seconds());
  CHECK(ledger->try_lock("production", claim(store, "a")).held);
  const Approval approval{
      .user = "maintainer", .project = "shop/web", .pipeline = 40, .comment = "ok", .at = 5};
  ledger->approve("production", approval);
  CHECK(store.make()->approvals("production") == std::vector{approval});
  CHECK(ledger->lock_state("production").holder.has_value());
}

TEST_CASE("ledger in a cluster: the Lease says it for others too") {
  ClusterStore store;
  const auto ledger = store.make();
  REQUIRE(ledger->try_lock("production", claim(store, "a")).held);
  ledger->begin(deployment("a"));
  const auto all = store.objects.all();
  REQUIRE(all.size() == 2);
  const auto& lease = all.rbegin()->second;
  CHECK(lease["kind"] == "Lease");
  CHECK(lease["spec"]["holderIdentity"] == "https://gitlab/a");
  CHECK(lease["spec"]["leaseDurationSeconds"] == 3600);
  CHECK(lease["spec"]["acquireTime"] == "2026-11-21T12:00:00.000000Z");
  ledger->leave("production", "a");
  CHECK_FALSE(store.objects.all().rbegin()->second["spec"].contains("holderIdentity"));
}

TEST_CASE("ledger in a cluster: of two that change a page at once neither is lost") {
  ClusterStore store;
  const auto mine = store.make();
  const auto other = store.make("h2");
  mine->approve("production", {.user = "x", .project = "p", .pipeline = 1});
  bool once = true;
  store.objects.before_patch = [&] {
    if (!std::exchange(once, false)) return;
    CHECK(other->try_lock("production", claim(store, "b", "h2")).held);
  };
  const LockAnswer answer = mine->try_lock("production", claim(store, "a"));
  CHECK_FALSE(answer.held);
  CHECK(answer.state.holder->id == "b");
  CHECK(answer.position == 1);
}

TEST_CASE("ledger in a cluster: what a deployment's manifests hold stands in Secrets alone") {
  ClusterStore store;
  const auto ledger = store.make();
  REQUIRE(ledger->try_lock("production", claim(store, "a")).held);
  ledger->begin(deployment("a"));
  Conclusion conclusion;
  conclusion.workloads = {{.kind = "Deployment", .name = "web", .manifest = "hunter2"}};
  ledger->finish("production", "a", conclusion);
  CHECK(ledger->history("production", 0).at(0).workloads.at(0).manifest == "hunter2");
  int secrets = 0;
  for (const auto& [path, object] : store.objects.all()) {
    if (object["kind"] == "Secret") {
      ++secrets;
      CHECK_THAT(path, StartsWith("/api/v1/namespaces/ledger/secrets/"));
      const auto text = support::base64_decode(object["data"]["deployment"].get<std::string>());
      REQUIRE(text);
      CHECK_THAT(*text, ContainsSubstring("hunter2"));
    } else {
      CHECK(object["kind"] == "Lease");
      CHECK_THAT(object.dump(), !ContainsSubstring("hunter2"));
    }
  }
  CHECK(secrets == 1);
}

TEST_CASE("ledger in a cluster: records fit into objects") {
  ClusterStore store;
  const auto ledger = make_kubernetes_ledger(
      store.objects.client(), {.name_space = "ledger", .max_record = 4000}, store.clock);
  ledger->begin(deployment("a"));
  Conclusion conclusion;
  conclusion.workloads = {{.kind = "Job", .name = "x", .manifest = std::string(5000, 'm')}};
  ledger->finish("production", "a", conclusion);
  Deployment one = ledger->history("production", 0).at(0);
  REQUIRE(one.workloads.size() == 1);
  CHECK(one.workloads[0].manifest.empty());
  conclusion.workloads.assign(100, {.kind = "Job", .name = std::string(100, 'n')});
  ledger->finish("production", "a", conclusion);
  one = ledger->history("production", 0).at(0);
  CHECK(one.workloads.empty());
  CHECK(one.result == Result::success);
}
