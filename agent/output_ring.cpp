#include "agent/output_ring.hpp"

#include <algorithm>

namespace berth::agent {

// Not zeroed: pages that are never written never become memory.
OutputRing::OutputRing(std::size_t capacity)
    : m_capacity(capacity), m_bytes(std::make_unique_for_overwrite<char[]>(capacity)) {}

std::array<iovec, 2> OutputRing::space(std::size_t limit) noexcept {
  const std::size_t total = std::min(limit, room());
  const auto from = static_cast<std::size_t>((m_end - m_base) % m_capacity);
  const std::size_t first = std::min(total, m_capacity - from);
  return {iovec{&m_bytes[from], first}, iovec{&m_bytes[0], total - first}};
}

std::string_view OutputRing::at(std::uint64_t offset, std::size_t limit) const noexcept {
  const auto from = static_cast<std::size_t>((offset - m_base) % m_capacity);
  const auto held = static_cast<std::size_t>(m_end - offset);
  return {&m_bytes[from], std::min({limit, held, m_capacity - from})};
}

void OutputRing::forget(std::uint64_t offset) noexcept {
  m_begin = offset;
  // Empty: start over at the front, on pages that are memory already.
  if (m_begin == m_end) m_base = m_end;
}

}  // namespace berth::agent
