#include "executor/kubernetes/api/watch.hpp"

#include <nlohmann/json.hpp>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace berth::kubernetes {

Watcher::Event::Event(WatchEvent::Kind event_kind, const nlohmann::json& event_object)
    : kind(event_kind), object(std::make_unique<nlohmann::json>(event_object)) {}
Watcher::Event::Event(Event&&) noexcept = default;
Watcher::Event& Watcher::Event::operator=(Event&&) noexcept = default;
Watcher::Event::~Event() = default;

class Watcher::Impl {
 public:
  Impl(Client& client, WatchQuery query)
      : m_query(std::move(query)),
        m_thread([this, &client](std::stop_token stop) { follow(client, std::move(stop)); }) {}

  std::optional<Event> next(std::chrono::steady_clock::time_point deadline,
                            const std::stop_token& stop) {
    std::unique_lock lock(m_mutex);
    m_changed.wait_until(lock, stop, deadline, [this] { return !m_events.empty() || m_failure; });
    if (!m_events.empty()) {
      Event event = std::move(m_events.front());
      m_events.pop_front();
      return event;
    }
    if (stop.stop_requested()) throw support::Cancelled();
    if (m_failure) std::rethrow_exception(m_failure);
    return std::nullopt;
  }

 private:
  void follow(Client& client, std::stop_token stop) {
    try {
      const OnWatchEvent keep = [this](const WatchEvent& event) {
        const std::lock_guard lock(m_mutex);
        m_events.emplace_back(event.kind, event.object);
        m_changed.notify_all();
        return true;
      };
      while (!stop.stop_requested())
        watch(client, m_query, keep, std::chrono::steady_clock::time_point::max(), stop);
    } catch (...) {
      const std::lock_guard lock(m_mutex);
      m_failure = std::current_exception();
      m_changed.notify_all();
    }
  }

  const WatchQuery m_query;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::deque<Event> m_events;
  std::exception_ptr m_failure;
  std::jthread m_thread;  // last: it ends before what it uses
};

Watcher::Watcher(Client& client, WatchQuery query)
    : m_impl(std::make_unique<Impl>(client, std::move(query))) {}
Watcher::~Watcher() = default;

std::optional<Watcher::Event> Watcher::next(std::chrono::steady_clock::time_point deadline,
                                            std::stop_token stop) {
  return m_impl->next(deadline, stop);
}

}  // namespace berth::kubernetes
