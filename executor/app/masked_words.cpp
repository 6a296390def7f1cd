#include "executor/app/masked_words.hpp"

#include "executor/credentials/recognition.hpp"
#include "executor/masking/masker.hpp"

#include <chrono>

namespace berth::app {

MaskedWords::MaskedWords(const core::Job& job, const core::Variables& expanded,
                         const settings::Credentials& settings) {
  for (const core::Variable& one : job.variables.all()) {
    if (!one.masked) continue;
    m_masks.add(one.value);
    // GitLab's word counts, however plain the value is.
    if (one.value.find_first_of("\r\n") == std::string::npos) m_masks.add_requested(one.value);
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  for (const auto& one : credentials::recognise_variables(job, expanded, settings, now)) {
    if (!one.finding.credential) continue;
    for (const support::Secret& secret : one.finding.credential->secrets)
      m_masks.add(secret.expose());
  }
}

std::string MaskedWords::operator()(std::string_view text) const {
  if (m_masks.empty()) return std::string(text);
  std::string shown;
  masking::Masker masker(m_masks, [&](std::string_view bytes) { shown += bytes; });
  masker.feed(text);
  masker.flush();
  return shown;
}

}  // namespace berth::app
