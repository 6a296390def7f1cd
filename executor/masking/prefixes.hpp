#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace berth::masking {

/// Finds where one of many patterns may begin: an automaton (Aho and Corasick) over
/// the first eight bytes of each, so that it stays small with long patterns. Line
/// ends are passed over: a pattern that is wrapped is found too.
class Prefixes {
 public:
  static constexpr std::size_t k_length = 8;
  /// A row of the table.
  using State = std::uint32_t;

  Prefixes() : Prefixes(std::vector<std::string>{}) {}
  /// Each pattern has k_length bytes or more, and no line end.
  explicit Prefixes(const std::vector<std::string>& patterns);

  static constexpr State root() { return 0; }
  State last_state() const { return static_cast<State>((m_depths.size() - 1) * m_width); }
  State next(State state, char byte) const {
    return m_next[state + m_columns[static_cast<unsigned char>(byte)]];
  }
  /// A whole prefix has just ended here.
  bool is_end(State state) const { return state >= m_first_end; }
  /// Patterns (their indices) of the prefix that has ended.
  const std::vector<std::uint32_t>& patterns(State state) const {
    return m_patterns[(state - m_first_end) / m_width];
  }
  /// How many of the last bytes (line ends not counted) begin a prefix that has not
  /// ended.
  std::size_t depth(State state) const { return m_depths[state / m_width]; }

 private:
  std::uint32_t m_width = 1;
  State m_first_end = 0;
  std::array<std::uint32_t, 256> m_columns{};
  std::vector<State> m_next;
  std::vector<std::uint8_t> m_depths;
  std::vector<std::vector<std::uint32_t>> m_patterns;
};

}  // namespace berth::masking
