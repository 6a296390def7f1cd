#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace berth::masking {

/// All texts that a log may not show.
class Masks {
 public:
  /// A secret, in each of its printed forms. False where it is too short or too
  /// plain to be masked (is_maskable).
  bool add(std::string_view secret);
  /// What a job asked for: only k_min_length counts. It may have no line end.
  bool add_requested(std::string_view value);

  bool empty() const noexcept { return m_patterns.empty(); }
  /// None is shorter than k_min_length, or has a line end. Grows at its end only.
  const std::vector<std::string>& patterns() const noexcept { return m_patterns; }

 private:
  bool add_forms(std::vector<std::string> forms);

  std::vector<std::string> m_patterns;
  std::unordered_set<std::string> m_known;
};

}  // namespace berth::masking
