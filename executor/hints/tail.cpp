#include "executor/hints/tail.hpp"

namespace berth::hints {

void Tail::add(std::string_view bytes) {
  if (bytes.size() >= k_kept) {
    m_bytes.assign(bytes.substr(bytes.size() - k_kept));
    return;
  }
  if (m_bytes.size() + bytes.size() > 2 * k_kept) m_bytes.erase(0, m_bytes.size() - k_kept);
  m_bytes.append(bytes);
}

std::string_view Tail::text() const {
  const std::string_view all = m_bytes;
  return all.size() > k_kept ? all.substr(all.size() - k_kept) : all;
}

}  // namespace berth::hints
