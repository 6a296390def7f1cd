#include "executor/environments/workloads/script_output.hpp"

#include <algorithm>

namespace berth::environments::workloads {

namespace {

constexpr std::string_view k_immutable = "field is immutable";

}  // namespace

void ScriptOutput::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view part = bytes.substr(0, end);
    m_head.append(part.substr(0, k_head - std::min(k_head, m_head.size())));
    m_tail.append(part.substr(part.size() - std::min(part.size(), k_tail)));
    if (m_tail.size() > k_tail) m_tail.erase(0, m_tail.size() - k_tail);
    if (end == bytes.size()) return;
    end_line();
    bytes.remove_prefix(end + 1);
  }
}

void ScriptOutput::end_line() {
  // The Job "migrate" is invalid: spec.template: Invalid value: …: field is immutable
  constexpr std::string_view k_front = "The Job \"";
  if (const std::size_t at = m_head.find(k_front); at != std::string::npos) {
    const std::size_t start = at + k_front.size();
    const std::size_t quote = m_head.find('"', start);
    if (quote != std::string::npos && m_head.compare(quote, 12, "\" is invalid") == 0) {
      m_job = m_head.substr(start, quote - start);
      m_lines_left = 20;
    }
  }
  const bool immutable = m_tail.find(k_immutable) != std::string::npos ||
                         m_head.find(k_immutable) != std::string::npos;
  if (immutable && m_lines_left > 0 && !m_job.empty()) {
    const bool known = std::find(m_jobs.begin(), m_jobs.end(), m_job) != m_jobs.end();
    if (!known && m_jobs.size() < k_most) m_jobs.push_back(m_job);
    m_job.clear();
  }
  if (m_lines_left > 0) --m_lines_left;
  m_head.clear();
  m_tail.clear();
}

}  // namespace berth::environments::workloads
