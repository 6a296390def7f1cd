#include "cli/local/pipeline/problems.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace berth::local::pipeline {
namespace {

std::string line_of(const Position& at, std::string_view text) {
  if (at.line == 0)
    return at.file.empty() ? std::string(text) : fmt::format("{}: {}", at.file, text);
  return fmt::format("{}:{}:{}: {}", at.file, at.line, at.column, text);
}

std::string lines_of(const std::vector<Problem>& problems) {
  std::string all;
  for (const Problem& problem : problems) {
    if (!all.empty()) all += '\n';
    all += line_of(problem.position, problem.text);
  }
  return all;
}

/// Edits from one word to the other: a letter put in, left out or changed, two
/// neighbours swapped.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> above;
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const bool same = left[i - 1] == right[j - 1];
      row[j] = std::min({above[j - 1] + (same ? 0 : 1), above[j] + 1, row[j - 1] + 1});
      const bool swapped =
          i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

InvalidPipeline::InvalidPipeline(std::vector<Problem> problems)
    : support::JobError(lines_of(problems)), m_problems(std::move(problems)) {}

void Problems::add(const Place& place, std::string text) {
  Problem problem{place.position(), std::move(text)};
  // An alias or a template shows the same mistake to every job that uses it.
  if (std::find(m_problems.begin(), m_problems.end(), problem) == m_problems.end()) {
    m_problems.push_back(std::move(problem));
  }
}

void Problems::warn(const Place& place, const std::string& text) {
  std::string line = line_of(place.position(), text);
  if (std::find(m_warnings.begin(), m_warnings.end(), line) == m_warnings.end()) {
    m_warnings.push_back(std::move(line));
  }
}

void Problems::check() const {
  if (m_problems.empty()) return;
  std::vector<Problem> sorted = m_problems;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.position.file, a.position.line, a.position.column) <
           std::tie(b.position.file, b.position.line, b.position.column);
  });
  throw InvalidPipeline(std::move(sorted));
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.size() > 64) return {};
  std::string_view best;
  std::size_t fewest = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t edits = distance(word, candidate);
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

void check_keys(const Value& map, const KeyTable& table, Problems& problems) {
  const auto stands_in = [](std::string_view key, std::span<const std::string_view> keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (const Entry& entry : map.entries) {
    if (stands_in(entry.key, table.known)) continue;
    if (stands_in(entry.key, table.unsupported)) {
      problems.add(entry.place, fmt::format("`{}` of {} is not supported by berth local yet",
                                            entry.key, table.what));
      continue;
    }
    std::string text = fmt::format("unknown key `{}` in {}", entry.key, table.what);
    if (const auto near = nearest(entry.key, table.known); !near.empty()) {
      text += fmt::format("; did you mean `{}`?", near);
    }
    problems.add(entry.place, std::move(text));
  }
}

}  // namespace berth::local::pipeline
