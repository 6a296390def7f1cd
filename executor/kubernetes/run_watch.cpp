#include "executor/kubernetes/run_watch.hpp"

#include "executor/kubernetes/causes.hpp"
#include "executor/kubernetes/pod/names.hpp"
#include "executor/kubernetes/pod_watch.hpp"
#include "executor/support/error.hpp"
#include "executor/support/log.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>

namespace berth::kubernetes {
RunWatch::RunWatch(Client& client, const core::JobSpec& spec, std::string name_space,
                   std::string pod, std::string uid, support::Console& console,
                   std::chrono::milliseconds after)
    : m_client(client),
      m_spec(spec),
      m_name_space(std::move(name_space)),
      m_pod(std::move(pod)),
      m_uid(std::move(uid)),
      m_console(console),
      m_thread([this, after](const std::stop_token& stop) { follow(stop, after); }) {}

std::optional<PodState> RunWatch::last() const {
  const std::lock_guard guard(m_mutex);
  return m_last;
}

void RunWatch::note(const PodState& state, bool first) {
  const std::vector<std::string> names = service_container_names(m_spec);
  const std::optional<PodState> before = last();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ContainerState* now = state.find(names[i]);
    if (now == nullptr || !now->terminated()) continue;
    const ContainerState* then = before ? before->find(names[i]) : nullptr;
    if (then != nullptr && then->terminated()) continue;
    // What ended before this stage was told of then, but for a death by memory,
    // which explains much that comes later.
    if (first && now->reason != "OOMKilled") continue;
    m_console.warning(
        fmt::format("service '{}' {}", m_spec.services[i].container.image, explain(*now)));
  }
  const std::lock_guard guard(m_mutex);
  m_last = state;
}

void RunWatch::follow(const std::stop_token& stop, std::chrono::milliseconds after) {
  if (!support::sleep_for(after, stop)) return;
  try {
    PodWatch watch(m_client, m_name_space, m_pod, m_uid);
    bool first = true;
    while (watch.next(std::chrono::steady_clock::time_point::max(), stop)) {
      if (!watch.last().phase.empty()) note(watch.last(), std::exchange(first, false));
      if (!watch.state()) return;
    }
  } catch (const support::Cancelled&) {
  } catch (const support::Error& error) {
    // The script itself does not depend on it.
    support::log(support::LogLevel::info, std::string("watching the pod: ") + error.what());
  }
}

}  // namespace berth::kubernetes
