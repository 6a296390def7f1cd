#include "executor/sandbox/checkout.hpp"
#include "tests/support/catch.hpp"

using namespace berth;
using sandbox::Checkout;
using sandbox::CheckoutPlan;
using sandbox::CheckoutRequest;

namespace {

constexpr Checkout k_nothing{};
constexpr Checkout k_open{.umask_0000 = true, .foreign_to_build = true};

CheckoutPlan plan(std::uint32_t helper, std::uint32_t build, bool kept = false,
                  std::optional<std::uint32_t> last = std::nullopt) {
  return sandbox::plan_checkout(
      {.users = {.helper = helper, .build = build}, .builds_dir = "/builds", .kept = kept}, last);
}

}  // namespace

TEST_CASE("files of one user need nothing") {
  CHECK(plan(0, 0) == CheckoutPlan{});
  CHECK(plan(1000, 1000) == CheckoutPlan{});
  CHECK(plan(0, 0, true) == CheckoutPlan{});
  CHECK(plan(0, 0, true, 0) == CheckoutPlan{});
}

TEST_CASE("root gives files to another user, each time that it makes some") {
  CHECK(plan(0, 1000) == CheckoutPlan{.checkout = k_nothing, .mark = true});
  CHECK(plan(0, 1000, true, 1000).mark);
}

TEST_CASE("files that a kept directory has of another job's user change hands once") {
  CHECK(plan(0, 0, true, 1000) == CheckoutPlan{.checkout = k_nothing, .mark = true});
  CHECK_FALSE(plan(0, 0, false, 1000).mark);
}

TEST_CASE("who is not root can give nothing away") {
  CHECK(plan(1000, 0) == CheckoutPlan{.checkout = k_open});
  CHECK(plan(1000, 1001, true, 0) == CheckoutPlan{.checkout = k_open});
  CHECK_FALSE(plan(1000, 1000, true, 0).mark);
}

TEST_CASE("a job that wants umask 0000 gets it") {
  CheckoutRequest request{.users = {.helper = 0, .build = 1000}, .umask_0000 = true};
  CHECK(sandbox::plan_checkout(request, std::nullopt) == CheckoutPlan{.checkout = k_open});
  request.users.build = 0;
  CHECK(sandbox::plan_checkout(request, 1000) ==
        CheckoutPlan{.checkout = {.umask_0000 = true, .foreign_to_build = false}});
}

TEST_CASE("what the stages are told of it") {
  core::Sandbox sandbox;
  sandbox::note_checkout(k_nothing, false, false, sandbox);
  CHECK(sandbox.values == std::map<std::string, std::string>{{"helper.safe_directory", "*"}});
  sandbox.values.clear();
  sandbox::note_checkout(k_open, true, false, sandbox);
  CHECK(sandbox.values == std::map<std::string, std::string>{{"build.safe_directory", "*"},
                                                             {"helper.umask", "0000"}});
  sandbox.values.clear();
  sandbox::note_checkout(k_open, true, true, sandbox);
  CHECK(sandbox.values == std::map<std::string, std::string>{{"helper.umask", "0000"}});
}
