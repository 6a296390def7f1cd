#include "executor/kubernetes/event_watch.hpp"

#include "executor/support/error.hpp"
#include "executor/support/log.hpp"

#include <nlohmann/json.hpp>

namespace berth::kubernetes {

EventWatch::EventWatch(Client& client, const std::string& name_space, const std::string& pod_uid,
                       OnStarted on_started)
    : m_on_started(std::move(on_started)),
      m_thread([this, &client,
                query = WatchQuery{.resource = resources::k_events,
                                   .name_space = name_space,
                                   .selectors = {.field = "involvedObject.uid=" + pod_uid},
                                   .read_first = false}](const std::stop_token& stop) {
        follow(client, query, stop);
      }) {}

std::vector<PodEvent> EventWatch::so_far() const {
  const std::lock_guard lock(m_mutex);
  std::vector<PodEvent> events;
  events.reserve(m_events.size());
  for (const auto& [name, event] : m_events) events.push_back(event);
  return events;
}

void EventWatch::follow(Client& client, const WatchQuery& query, const std::stop_token& stop) {
  try {
    const OnWatchEvent keep = [this](const WatchEvent& event) {
      take(event);
      return true;
    };
    while (!stop.stop_requested())
      watch(client, query, keep, std::chrono::steady_clock::time_point::max(), stop);
  } catch (const support::Cancelled&) {
  } catch (const std::exception& error) {
    support::log(support::LogLevel::info, std::string("events: ") + error.what());
  }
}

void EventWatch::take(const WatchEvent& event) {
  if (event.kind == WatchEvent::Kind::deleted) return;  // it happened all the same
  PodEvent one = parse_pod_event(event.object);
  const std::string name =
      event.object.value(nlohmann::json::json_pointer("/metadata/name"), std::string());
  if (one.reason == "Started" && !one.container.empty()) m_on_started(one.container);
  const std::lock_guard lock(m_mutex);
  std::erase_if(m_events, [&name](const auto& known) { return known.first == name; });
  m_events.emplace_back(name, std::move(one));
}

}  // namespace berth::kubernetes
