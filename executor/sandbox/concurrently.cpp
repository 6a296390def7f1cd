#include "executor/sandbox/concurrently.hpp"

#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace berth::sandbox {
namespace {

void run(std::vector<Task>& tasks, const std::stop_token& stop, bool stop_others) {
  if (tasks.empty()) return;
  std::stop_source group;
  const std::stop_callback forward(stop, [&group] { group.request_stop(); });
  std::mutex mutex;
  std::exception_ptr first;
  const auto attempt = [&](const Task& task) {
    try {
      task(group.get_token());
    } catch (...) {
      {
        const std::lock_guard guard(mutex);
        if (!first) first = std::current_exception();
      }
      if (stop_others) group.request_stop();
    }
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(tasks.size() - 1);
    for (std::size_t i = 0; i + 1 < tasks.size(); ++i) {
      threads.emplace_back([&attempt, &task = tasks[i]] { attempt(task); });
    }
    attempt(tasks.back());
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace

void concurrently(std::vector<Task> tasks, const std::stop_token& stop) {
  run(tasks, stop, true);
}

void concurrently_all(std::vector<Task> tasks, const std::stop_token& stop) {
  run(tasks, stop, false);
}

}  // namespace berth::sandbox
