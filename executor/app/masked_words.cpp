#include "executor/app/masked_words.hpp"

#include "executor/masking/masker.hpp"

namespace berth::app {

MaskedWords::MaskedWords(const core::Variables& variables) {
  for (const core::Variable& one : variables.all()) {
    if (one.masked) m_masks.add(one.value);
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
