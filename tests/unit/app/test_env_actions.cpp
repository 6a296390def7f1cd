#include "executor/app/env_actions.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using environments::Deployment;
using environments::Result;

namespace {

Deployment deployment(std::int64_t number, Result result, const std::string& image) {
  Deployment one{.number = number, .environment = "prod", .result = result};
  if (image.empty()) return one;
  one.workloads.push_back({.kind = "Deployment",
                           .name_space = "shop",
                           .name = "web",
                           .change = environments::Change::updated,
                           .containers = {{.container = "app", .image = image, .digest = {}}},
                           .manifest = "{\"image\":\"" + image + "\"}"});
  return one;
}

const std::vector<Deployment> k_history = {
    deployment(5, Result::failed, "app:v5"), deployment(4, Result::success, "app:v4"),
    deployment(3, Result::success, ""), deployment(2, Result::success, "app:v2"),
    deployment(1, Result::lost, "app:v1")};

std::string only_words(const std::vector<environments::workloads::Difference>& all) {
  REQUIRE(all.size() == 1);
  return words(all[0]);
}

}  // namespace

TEST_CASE("The last good deployment is one that went well and whose workloads are known") {
  CHECK(app::last_good(k_history, 0)->number == 4);
  CHECK(app::last_good(k_history, 4)->number == 2);
  CHECK(app::last_good(k_history, 2) == nullptr);
  auto stopped = k_history;
  stopped[1].action = environments::Action::stop;
  CHECK(app::last_good(stopped, 0)->number == 2);
}

TEST_CASE("An environment that has moved goes back to what was good at its place") {
  auto history = k_history;
  for (Deployment& one : history) {
    one.cluster = "c:6443";
    one.name_space = "shop";
  }
  history[1].cluster = "d:6443";
  CHECK(app::last_good(history, 5, app::place_of(history[0]))->number == 2);
  CHECK(app::last_good(history, 0, app::place_of(history[1]))->number == 4);
  CHECK_THAT(only_words(app::recorded_diff(history, std::nullopt, std::nullopt)),
             StartsWith("Deployment 'web' changed: app: app:v2 -> app:v5"));
  history[1].cluster = "c:6443";
  history[1].name_space = "elsewhere";
  CHECK(app::last_good(history, 5, app::place_of(history[0]))->number == 2);
  // One that nobody looked at says nothing of its place.
  history[0].cluster = history[0].name_space = "";
  CHECK(app::last_good(history, 5, app::place_of(history[0]))->number == 4);
}

TEST_CASE("A deployment is compared to the last good one before it, or to any other") {
  CHECK_THAT(only_words(app::recorded_diff(k_history, std::nullopt, std::nullopt)),
             StartsWith("Deployment 'web' changed: app: app:v4 -> app:v5"));
  CHECK_THAT(only_words(app::recorded_diff(k_history, 4, std::nullopt)),
             StartsWith("Deployment 'web' changed: app: app:v2 -> app:v4"));
  CHECK_THAT(only_words(app::recorded_diff(k_history, 1, 5)),
             StartsWith("Deployment 'web' changed: app: app:v1 -> app:v5"));
  CHECK_THAT(only_words(app::recorded_diff(k_history, 2, std::nullopt)),
             StartsWith("Deployment 'web' was created: app: app:v2"));
  CHECK_THROWS_AS(app::recorded_diff(k_history, 9, std::nullopt), support::OperatorError);
  CHECK_THROWS_AS(app::recorded_diff({}, std::nullopt, std::nullopt), support::OperatorError);
}
