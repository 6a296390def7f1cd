#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::gitlab {

/// A word of a shell script as the runner quotes it (helpers/shell_escape.go): bare,
/// `'...'`, `$'...'`, or `"..."` with nothing live in it.
struct ShellWord {
  /// What the shell makes of it.
  std::string value{};
  /// Where each byte of `value` comes from in the script; one more for the end.
  std::vector<std::size_t> origins{};
  /// Behind its last byte.
  std::size_t end = 0;
};

/// The word that begins at `begin`; nothing where it is quoted otherwise, is live, or
/// does not end.
std::optional<ShellWord> read_shell_word(std::string_view script, std::size_t begin);

}  // namespace berth::gitlab
