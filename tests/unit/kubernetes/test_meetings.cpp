#include "executor/kubernetes/meetings.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>

using namespace berth;
using core::ContainerRole;
using kubernetes::Meetings;

TEST_CASE("each agent is met once, whoever says that its container runs") {
  std::atomic<int> helper = 0;
  std::atomic<int> build = 0;
  std::latch ended(1);
  Meetings meetings(
      [&](ContainerRole role, const std::stop_token&) {
        ++(role == ContainerRole::helper ? helper : build);
      },
      [&] { ended.count_down(); });
  CHECK_FALSE(meetings.done());
  meetings.begin(ContainerRole::build);
  meetings.begin(ContainerRole::build);
  meetings.begin(ContainerRole::helper);
  meetings.begin(ContainerRole::build);
  ended.wait();
  CHECK(meetings.done());
  CHECK(helper == 1);
  CHECK(build == 1);
}

TEST_CASE("an agent that cannot be met ends the meetings, one that is met does not hide it") {
  std::latch ended(1);
  std::latch failed(1);
  Meetings meetings(
      [&](ContainerRole role, const std::stop_token&) {
        if (role == ContainerRole::helper) throw support::SystemError("out of reach");
        failed.wait();
      },
      [&] { ended.count_down(); });
  meetings.begin(ContainerRole::helper);
  meetings.begin(ContainerRole::build);
  ended.wait();
  failed.count_down();
  CHECK_THROWS_WITH(meetings.done(), "out of reach");
}

TEST_CASE("meetings that are given up end at once") {
  std::atomic<bool> stopped = false;
  {
    Meetings meetings(
        [&](ContainerRole, const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any never;
          std::unique_lock lock(mutex);
          never.wait(lock, stop, [] { return false; });
          stopped = true;
          throw support::Cancelled();
        },
        [] {});
    meetings.begin(ContainerRole::build);
  }
  CHECK(stopped);
}
