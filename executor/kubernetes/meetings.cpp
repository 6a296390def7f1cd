#include "executor/kubernetes/meetings.hpp"

#include <cstddef>
#include <utility>

namespace berth::kubernetes {

Meetings::Meetings(Meet meet, std::function<void()> on_end)
    : m_meet(std::move(meet)), m_on_end(std::move(on_end)) {}

Meetings::~Meetings() {
  for (std::jthread& thread : m_threads) thread.request_stop();
}

void Meetings::begin(core::ContainerRole role) {
  const std::lock_guard lock(m_mutex);
  std::jthread& thread = m_threads[role == core::ContainerRole::helper ? 0 : 1];
  if (thread.joinable()) return;
  thread = std::jthread([this, role](const std::stop_token& stop) { run(role, stop); });
}

bool Meetings::done() const {
  const std::lock_guard lock(m_mutex);
  if (m_failure) std::rethrow_exception(m_failure);
  return m_missing == 0;
}

void Meetings::run(core::ContainerRole role, const std::stop_token& stop) {
  std::exception_ptr failure;
  try {
    m_meet(role, stop);
  } catch (...) {
    failure = std::current_exception();
  }
  {
    const std::lock_guard lock(m_mutex);
    if (m_failure) return;
    m_failure = failure;
    if (!failure && --m_missing > 0) return;
  }
  m_on_end();
}

}  // namespace berth::kubernetes
