#include "executor/kubernetes/pod_watch.hpp"

#include <nlohmann/json.hpp>

namespace berth::kubernetes {
namespace {

std::string text_at(const nlohmann::json& object, const char* pointer) {
  return object.value(nlohmann::json::json_pointer(pointer), std::string());
}

}  // namespace

PodWatch::PodWatch(Client& client, const std::string& name_space, const nlohmann::json& created)
    : m_uid(text_at(created, "/metadata/uid")),
      m_state(parse_pod_state(created)),
      m_last(*m_state),
      m_watcher(client, {.resource = resources::k_pods,
                         .name_space = name_space,
                         .name = text_at(created, "/metadata/name"),
                         .resource_version = text_at(created, "/metadata/resourceVersion")}) {}

PodWatch::PodWatch(Client& client, const std::string& name_space, const std::string& name,
                   const std::string& uid)
    : m_uid(uid),
      m_state(PodState{.name = name, .uid = uid}),
      m_last(*m_state),
      m_watcher(client, {.resource = resources::k_pods,
                         .name_space = name_space,
                         .name = name,
                         .read_first = false}) {}

void PodWatch::take(const Watcher::Event& event) {
  PodState state = parse_pod_state(*event.object);
  if (!m_uid.empty() && state.uid != m_uid) {
    // Of one that went before this one was made, or one that took its name.
    if (event.kind != WatchEvent::Kind::deleted) m_state.reset();
    return;
  }
  // One that went while nobody looked is told of by name alone.
  if (!state.phase.empty()) m_last = state;
  if (event.kind == WatchEvent::Kind::deleted) {
    m_state.reset();
  } else {
    m_state = std::move(state);
  }
}

bool PodWatch::next(TimePoint deadline, const std::stop_token& stop) {
  auto event = m_watcher.next(deadline, stop);
  if (!event) return false;
  do {
    take(*event);
    event = m_watcher.next(std::chrono::steady_clock::now(), stop);
  } while (event);
  return true;
}

}  // namespace berth::kubernetes
