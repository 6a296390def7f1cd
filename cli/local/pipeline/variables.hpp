#pragma once

#include "executor/core/job.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace berth::local::pipeline {

/// Values expanded as GitLab does before it hands a job to a runner: `$NAME`,
/// `${NAME}` (and `%NAME%`), each variable after those it names, to any depth.
/// `$$` and `%%` stay for the runner. Raw variables are not expanded, and
/// references to raw and file variables stay as written, as do references to
/// variables that do not exist. Of a key that stands twice the last wins and
/// takes the last one's place. Variables that refer to each other in a circle are
/// all left as they are.
/// (GitLab: variables/collection/sort.rb, Collection#sort_and_expand_all.)
std::vector<core::Variable> sort_and_expand(std::vector<core::Variable> variables);

/// `text` with the references replaced by values of `variables`; references to
/// unknown ones vanish (ExpandVariables.expand).
std::string expand(std::string_view text, const core::Variables& variables);

}  // namespace berth::local::pipeline
