#include "executor/app/service_hints.hpp"

#include "executor/hints/find.hpp"

#include <algorithm>

namespace berth::app {
namespace {

constexpr std::string_view k_begin = "service '";

/// "service 'postgres:15'" of "service 'postgres:15' ended with ...".
std::string_view subject_of(std::string_view warning) {
  const std::size_t quote = warning.find('\'', k_begin.size());
  return warning.substr(0, quote == std::string_view::npos ? quote : quote + 1);
}

}  // namespace

void ServiceHints::warning(std::string_view text) {
  m_console.warning(text);
  if (!text.starts_with(k_begin)) return;
  const hints::KnownCause* cause = hints::find_cause(text, hints::Where::service);
  if (cause == nullptr) return;
  std::string hint = std::string(subject_of(text)) + ": " + std::string(cause->hint);
  const std::scoped_lock lock(m_mutex);
  if (std::find(m_hints.begin(), m_hints.end(), hint) == m_hints.end())
    m_hints.push_back(std::move(hint));
}

void ServiceHints::note(core::Sandbox& sandbox) const {
  const std::scoped_lock lock(m_mutex);
  std::string lines;
  for (const std::string& hint : m_hints) lines += (lines.empty() ? "" : "\n") + hint;
  if (!lines.empty()) sandbox.values[std::string(core::k_value_hints)] = std::move(lines);
}

void ServiceHints::tell() const {
  const std::scoped_lock lock(m_mutex);
  for (const std::string& hint : m_hints) m_console.hint(hint);
}

}  // namespace berth::app
