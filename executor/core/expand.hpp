#pragma once

#include "executor/core/job.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace berth::core {

/// Replaces `$NAME` and `${NAME}` once, as the runner does: the rules of Go's
/// os.Expand (https://pkg.go.dev/os#Expand) to the letter, including what it
/// makes of bad syntax (`${` is swallowed, `$` before no name is kept).
std::string expand(std::string_view text,
                   const std::function<std::string(std::string_view)>& lookup);

/// With the runner's lookup (common/spec/variables.go): the last definition
/// wins, unknown is empty, `$$` is `$`, `$1` and the like are empty, a file
/// variable stands for its path.
std::string expand(std::string_view text, const Variables& variables);

/// Where the stage scripts write a file variable:
/// RUNNER_TEMP_PROJECT_DIR/<key>.
std::string file_variable_path(const Variables& variables, std::string_view key);

}  // namespace berth::core
