#include "executor/docker/removal.hpp"

#include "executor/docker/networks.hpp"
#include "executor/sandbox/concurrently.hpp"
#include "executor/support/error.hpp"
#include "executor/support/retry.hpp"

#include <functional>
#include <mutex>

namespace berth::docker {
namespace {

constexpr unsigned k_volume_tries = 10;
constexpr support::Backoff k_volume_backoff{.first = std::chrono::milliseconds(20),
                                            .max = std::chrono::milliseconds(1000)};
/// A label pass that keeps failing must not go round for ever.
constexpr unsigned k_most_passes = 10;

/// Collects what several removals did.
class Tally {
 public:
  void attempt(const std::function<bool()>& remove) {
    try {
      const bool removed = remove();
      const std::lock_guard guard(m_mutex);
      if (removed) ++m_report.removed;
    } catch (const EngineError& error) {
      const std::lock_guard guard(m_mutex);
      m_report.failures.emplace_back(error.what());
    }
  }
  core::CleanupReport take() { return std::move(m_report); }

 private:
  std::mutex m_mutex;
  core::CleanupReport m_report;
};

/// 409 while the engine has not yet taken the last container off it.
bool remove_volume(Engine& engine, const std::string& name, const std::stop_token& stop) {
  for (unsigned attempt = 1;; ++attempt) {
    try {
      return engine.remove_volume(name, stop) != Removal::absent;
    } catch (const EngineError& error) {
      if (!error.conflict() || attempt >= k_volume_tries) throw;
    }
    const auto wait = support::delay(k_volume_backoff, attempt, support::random_unit());
    if (!support::sleep_for(wait, stop)) throw support::Cancelled();
  }
}

}  // namespace

AttemptObjects find_objects(Engine& engine, const LabelFilter& labels, std::stop_token stop) {
  AttemptObjects found;
  sandbox::concurrently({[&](const std::stop_token& token) {
                           for (auto& one : engine.list_containers(labels, token)) {
                             found.containers.push_back(std::move(one.id));
                           }
                         },
                         [&](const std::stop_token& token) {
                           for (auto& one : engine.list_networks(labels, token)) {
                             found.networks.push_back(std::move(one.id));
                           }
                         },
                         [&](const std::stop_token& token) {
                           for (auto& one : engine.list_volumes(labels, token)) {
                             found.volumes.push_back(std::move(one.name));
                           }
                         }},
                        stop);
  return found;
}

core::CleanupReport remove_objects(Engine& engine, const AttemptObjects& objects,
                                   std::stop_token stop) {
  Tally tally;
  std::vector<sandbox::Task> tasks;
  for (const std::string& id : objects.containers) {
    tasks.emplace_back([&tally, &engine, &id](const std::stop_token& token) {
      tally.attempt([&] { return engine.remove_container(id, token) != Removal::absent; });
    });
  }
  sandbox::concurrently_all(std::move(tasks), stop);
  tasks.clear();
  for (const std::string& id : objects.networks) {
    tasks.emplace_back([&tally, &engine, &id](const std::stop_token& token) {
      tally.attempt([&] { return remove_network(engine, id, token); });
    });
  }
  for (const std::string& name : objects.volumes) {
    tasks.emplace_back([&tally, &engine, &name](const std::stop_token& token) {
      tally.attempt([&] { return remove_volume(engine, name, token); });
    });
  }
  sandbox::concurrently_all(std::move(tasks), stop);
  return tally.take();
}

core::CleanupReport remove_by_labels(Engine& engine, const LabelFilter& labels,
                                     std::chrono::milliseconds pause, std::stop_token stop) {
  core::CleanupReport report;
  unsigned empty_passes = 0;
  for (unsigned pass = 0; empty_passes < 2 && pass < k_most_passes; ++pass) {
    if (pass > 0 && !support::sleep_for(pause, stop)) throw support::Cancelled();
    const AttemptObjects objects = find_objects(engine, labels, stop);
    if (objects.empty()) {
      ++empty_passes;
      continue;
    }
    empty_passes = 0;
    core::CleanupReport one = remove_objects(engine, objects, stop);
    report.removed += one.removed;
    // What failed is tried again; only the last pass's failures stand.
    report.failures = std::move(one.failures);
  }
  if (empty_passes >= 2) report.failures.clear();
  return report;
}

}  // namespace berth::docker
