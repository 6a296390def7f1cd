#include "executor/support/retry.hpp"
#include "tests/support/catch.hpp"

using namespace berth::support;
using namespace std::chrono_literals;

TEST_CASE("retry: the wait doubles up to the limit") {
  const Backoff backoff{.first = 50ms, .max = 5000ms};
  CHECK(delay(backoff, 1, 0.999999) == 49ms);
  CHECK(delay(backoff, 1, 0.0) == 25ms);
  CHECK(delay(backoff, 2, 0.0) == 50ms);
  CHECK(delay(backoff, 3, 0.5) == 150ms);
  CHECK(delay(backoff, 8, 0.0) == 2500ms);
  CHECK(delay(backoff, 4000000000U, 0.0) == 2500ms);
  CHECK(delay(backoff, 0, 0.0) == 25ms);
}

TEST_CASE("retry: the random part stays within its half") {
  for (int i = 0; i < 1000; ++i) {
    const double random = random_unit();
    CHECK(random >= 0.0);
    CHECK(random < 1.0);
  }
}

TEST_CASE("retry: a stop request ends the wait") {
  std::stop_source stop;
  CHECK(sleep_for(0ms, stop.get_token()));
  stop.request_stop();
  CHECK_FALSE(sleep_for(24h, stop.get_token()));
}
