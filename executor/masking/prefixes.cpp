#include "executor/masking/prefixes.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace berth::masking {
namespace {

/// Column 0: bytes of no prefix. Column 1: line ends.
constexpr std::uint32_t k_line_end = 1;

}  // namespace

Prefixes::Prefixes(const std::vector<std::string>& patterns) {
  m_width = 2;
  for (const char c : {'\n', '\r'}) m_columns[static_cast<unsigned char>(c)] = k_line_end;
  // Patterns by prefix, so that the tree can be made level by level: rows near the
  // root, where nearly all text stays, lie together.
  std::vector<std::uint32_t> order(patterns.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto prefix = [&](std::uint32_t index) {
    return std::string_view(patterns[index]).substr(0, k_length);
  };
  std::ranges::sort(order, {}, prefix);
  for (const std::uint32_t index : order)
    for (const char c : prefix(index))
      if (auto& column = m_columns[static_cast<unsigned char>(c)]; column == 0) column = m_width++;

  // Rows of one level: each a run of `order` with the same first bytes.
  struct Row {
    std::size_t begin;
    std::size_t end;
    std::uint32_t fallback;
  };
  std::vector<Row> level{{0, order.size(), 0}};
  std::uint32_t rows = 1;
  m_next.assign(m_width, 0);
  m_depths.push_back(0);
  const auto row_at = [&](std::uint32_t row) { return row * m_width; };
  std::uint32_t first = 0;
  for (std::size_t depth = 0; depth < k_length; ++depth) {
    std::vector<Row> below;
    for (std::uint32_t i = 0; i < level.size(); ++i) {
      const Row row = level[i];
      const std::uint32_t here = first + i;
      for (std::size_t at = row.begin; at < row.end;) {
        const char byte = prefix(order[at])[depth];
        std::size_t end = at;
        while (end < row.end && prefix(order[end])[depth] == byte) ++end;
        const std::uint32_t column = m_columns[static_cast<unsigned char>(byte)];
        // Without this prefix the next longest one counts: its row is complete.
        const State fallback = depth == 0 ? 0 : m_next[row_at(row.fallback) + column];
        m_next[row_at(here) + column] = row_at(rows);
        below.push_back({at, end, fallback / m_width});
        ++rows;
        at = end;
      }
    }
    first += static_cast<std::uint32_t>(level.size());
    m_next.resize(std::size_t{rows} * m_width);
    m_depths.resize(rows, static_cast<std::uint8_t>(depth + 1));
    // A new row begins as its fallback's, which lies on a level above.
    for (std::uint32_t i = 0; i < below.size(); ++i)
      std::copy_n(m_next.begin() + row_at(below[i].fallback), m_width,
                  m_next.begin() + row_at(first + i));
    level = std::move(below);
  }
  for (std::uint32_t row = 0; row < rows; ++row) m_next[row_at(row) + k_line_end] = row_at(row);
  // Who ended a prefix has begun only what its fallback has.
  for (std::uint32_t i = 0; i < level.size(); ++i)
    m_depths[first + i] = m_depths[level[i].fallback];
  m_first_end = row_at(first);
  m_patterns.resize(level.size());
  for (std::size_t i = 0; i < level.size(); ++i)
    m_patterns[i].assign(order.begin() + static_cast<std::ptrdiff_t>(level[i].begin),
                         order.begin() + static_cast<std::ptrdiff_t>(level[i].end));
}

}  // namespace berth::masking
