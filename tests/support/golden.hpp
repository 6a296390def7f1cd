#pragma once

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace berth::tests {

/// Compares `actual` with tests/golden/<name>. With ACCEPT_GOLDEN=1 the file is
/// written instead: look at the difference before you commit it.
/// Link berth_test_support.
inline void check_golden(const std::string& name, std::string_view actual) {
  const std::filesystem::path path =
      std::filesystem::path(BERTH_SOURCE_DIR) / "tests" / "golden" / name;
  const char* accept = std::getenv("ACCEPT_GOLDEN");
  if (accept != nullptr && std::string_view(accept) == "1") {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << actual;
  }
  std::ifstream file(path, std::ios::binary);
  INFO("golden file " << path);
  REQUIRE(file.good());
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  CHECK(expected == actual);
}

}  // namespace berth::tests
