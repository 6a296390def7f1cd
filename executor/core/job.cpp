#include "executor/core/job.hpp"

#include <algorithm>

namespace berth::core {

const Variable* Variables::find(std::string_view key) const {
  const auto found = std::find_if(m_all.rbegin(), m_all.rend(),
                                  [&](const Variable& variable) { return variable.key == key; });
  return found == m_all.rend() ? nullptr : &*found;
}

const Variable* Variables::find_original(std::string_view key) const {
  const auto found = std::find_if(m_all.begin(), m_all.end(),
                                  [&](const Variable& variable) { return variable.key == key; });
  return found == m_all.end() ? nullptr : &*found;
}

std::string Variables::get(std::string_view key) const {
  const Variable* variable = find(key);
  return variable == nullptr ? std::string() : variable->value;
}

bool Variables::is_on(std::string_view key) const {
  std::string value = get(key);
  std::transform(value.begin(), value.end(), value.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return value == "1" || value == "t" || value == "true";
}

}  // namespace berth::core
