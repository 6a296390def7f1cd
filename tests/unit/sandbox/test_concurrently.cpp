#include "executor/sandbox/concurrently.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

#include <atomic>
#include <latch>
#include <stdexcept>

using namespace berth;
using sandbox::concurrently;
using sandbox::concurrently_all;

namespace {

/// Returns when the token is stopped, as an interrupted engine call does.
void until_stopped(const std::stop_token& stop) {
  std::latch stopped(1);
  const std::stop_callback wake(stop, [&stopped] { stopped.count_down(); });
  stopped.wait();
  throw support::Cancelled();
}

}  // namespace

TEST_CASE("all tasks run at once") {
  std::latch all_here(3);
  std::atomic<int> ran = 0;
  const sandbox::Task task = [&](const std::stop_token&) {
    all_here.arrive_and_wait();
    ++ran;
  };
  concurrently({task, task, task}, {});
  CHECK(ran == 3);
  concurrently({}, {});
}

TEST_CASE("the first error stops the others and is the one that is thrown") {
  CHECK_THROWS_WITH(
      concurrently({[](const std::stop_token& stop) { until_stopped(stop); },
                    [](const std::stop_token&) { throw std::runtime_error("the cause"); },
                    [](const std::stop_token& stop) { until_stopped(stop); }},
                   {}),
      "the cause");
}

TEST_CASE("a stop of the caller reaches every task") {
  std::stop_source stop;
  CHECK_THROWS_AS(concurrently({[](const std::stop_token& token) { until_stopped(token); },
                                [&stop](const std::stop_token& token) {
                                  stop.request_stop();
                                  until_stopped(token);
                                }},
                               stop.get_token()),
                  support::Cancelled);
}

TEST_CASE("where all are to be tried, one that fails leaves the others alone") {
  std::atomic<int> ran = 0;
  std::atomic<bool> told_to_stop = false;
  std::latch failed(1);
  CHECK_THROWS_WITH(concurrently_all({[&](const std::stop_token& stop) {
                                        failed.wait();
                                        told_to_stop = stop.stop_requested();
                                        ++ran;
                                      },
                                      [&](const std::stop_token&) {
                                        failed.count_down();
                                        throw std::runtime_error("one");
                                      }},
                                     {}),
                    "one");
  CHECK(ran == 1);
  CHECK_FALSE(told_to_stop);
}
