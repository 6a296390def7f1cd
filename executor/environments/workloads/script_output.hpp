#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::environments::workloads {

/// What a script's output says of kubectl's refusals: nothing else is left of them in a
/// cluster. Takes the output in any pieces, keeps a few hundred bytes. Pure.
class ScriptOutput {
 public:
  void feed(std::string_view bytes);

  /// Jobs whose new version was refused because the old one is immutable; the first
  /// hundred of them, whatever the script prints.
  const std::vector<std::string>& immutable_jobs() const noexcept { return m_jobs; }

 private:
  void end_line();

  static constexpr std::size_t k_head = 512;
  static constexpr std::size_t k_tail = 64;
  static constexpr std::size_t k_most = 100;
  std::string m_head;
  std::string m_tail;
  /// The Job that the lines speak of, and for how many more they may.
  std::string m_job;
  int m_lines_left = 0;
  std::vector<std::string> m_jobs;
};

}  // namespace berth::environments::workloads
