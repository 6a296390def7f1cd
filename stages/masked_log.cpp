#include "stages/masked_log.hpp"

#include "executor/support/error.hpp"

#include <exception>
#include <utility>

namespace berth::stages {

masking::Masker& MaskedLog::masker() {
  if (!m_masker)
    m_masker.emplace(masking::Masks(), [this](std::string_view bytes) { m_log.write(bytes); });
  return *m_masker;
}

void MaskedLog::mask(const masking::StageSecrets& secrets) {
  masking::Masks masks;
  for (const support::Secret& secret : secrets.secrets) masks.add(secret.expose());
  for (const support::Secret& value : secrets.requested) masks.add_requested(value.expose());
  m_masker.emplace(std::move(masks), [this](std::string_view bytes) { m_log.write(bytes); });
}

void MaskedLog::write(std::string_view bytes) {
  masker().feed(bytes);
}

void MaskedLog::finish() {
  masker().flush();
}

void MaskedLog::finish_quietly() noexcept {
  try {
    finish();
  } catch (...) {  // whoever calls has something worse to tell
  }
}

std::vector<support::Secret> MaskedLog::requested() const {
  return m_masker ? m_masker->requested() : std::vector<support::Secret>();
}

support::Secret MaskedLog::save() {
  return masker().save();
}

void MaskedLog::restore(std::string_view saved) {
  if (!masker().restore(saved))
    throw support::SystemError("the log cannot be taken up: its state is damaged");
}

}  // namespace berth::stages
