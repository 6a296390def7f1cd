#include "executor/masking/masks.hpp"

#include "executor/masking/forms.hpp"

#include <utility>

namespace berth::masking {

bool Masks::add(std::string_view secret) {
  return add_forms(printed_forms(secret));
}

bool Masks::add_requested(std::string_view value) {
  if (value.size() < k_min_length) return false;
  std::vector<std::string> forms = printed_forms(value);
  forms.emplace_back(value);
  return add_forms(std::move(forms));
}

bool Masks::add_forms(std::vector<std::string> forms) {
  const bool any = !forms.empty();
  for (std::string& form : forms)
    if (m_known.insert(form).second) m_patterns.push_back(std::move(form));
  return any;
}

}  // namespace berth::masking
