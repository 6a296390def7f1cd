#pragma once

#include "cli/local/pipeline/yaml_value.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::local::pipeline {

/// Collects what is wrong with a file, so that one run shows it all.
class Problems {
 public:
  void add(const Place& place, std::string text);
  void warn(const Place& place, const std::string& text);
  /// Throws InvalidPipeline where something was added.
  void check() const;
  bool empty() const noexcept { return m_problems.empty(); }
  std::vector<std::string> take_warnings() { return std::move(m_warnings); }

 private:
  std::vector<Problem> m_problems;
  std::vector<std::string> m_warnings;
};

/// The candidate that is fewest edits away, if it is near enough to be meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

/// Keys of one kind of map.
struct KeyTable {
  /// What the map is, for messages: "a job", "`artifacts`".
  std::string_view what;
  std::span<const std::string_view> known;
  /// GitLab's keys that `berth local` does not support yet.
  std::span<const std::string_view> unsupported;
};

/// Adds a problem for every key that is not known.
void check_keys(const Value& map, const KeyTable& table, Problems& problems);

}  // namespace berth::local::pipeline
