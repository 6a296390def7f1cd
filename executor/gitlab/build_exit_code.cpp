#include "executor/gitlab/build_exit_code.hpp"

#include "executor/support/files.hpp"

#include <string>

namespace berth::gitlab {

void write_build_exit_code(const std::filesystem::path& file, int code) {
  if (file.empty()) return;
  support::write_file_atomically(file, std::to_string(code) + "\n");
}

}  // namespace berth::gitlab
