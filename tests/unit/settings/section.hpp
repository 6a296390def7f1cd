#pragma once

#include "executor/settings/settings.hpp"

#include <algorithm>
#include <string>

namespace berth::tests {

/// Parses a file "f": `head`, whose last line opens a section, and its `lines`,
/// which begin at column 3.
inline settings::Settings parse_section(const std::string& head, const std::string& lines) {
  std::string yaml = head;
  for (std::size_t start = 0; start < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', start), lines.size());
    yaml += "  " + lines.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return settings::parse(yaml, "f");
}

}  // namespace berth::tests
