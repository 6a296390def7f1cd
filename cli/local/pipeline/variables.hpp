#pragma once

#include "executor/core/job.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace berth::local::pipeline {

struct Expanded {
  std::vector<core::Variable> variables;
  /// Names of variables that refer to each other in a circle; then `variables`
  /// is what was given. GitLab refuses such a pipeline.
  std::vector<std::string> circle;
  /// A variable whose value would grow beyond 1 MiB, or empty; it was left as is.
  std::string too_long;
};

/// Values expanded as GitLab does before it hands a job to a runner: `$NAME`,
/// `${NAME}` and `%NAME%`, each variable after those it names, to any depth.
/// `$$` and `%%` stay for the runner, and so do references to raw, file and unknown
/// variables. Raw variables are not expanded. The order is that of expansion; keys
/// that stand twice stay, the last counts.
/// (GitLab: BuildRunnerPresenter#runner_variables, Collection#sort_and_expand_all.)
Expanded sort_and_expand(std::vector<core::Variable> variables);

/// The same for use inside GitLab (environment names): references to raw and file
/// variables become their values, unknown ones vanish.
Expanded sort_and_expand_here(std::vector<core::Variable> variables);

/// `text` with its references replaced by values; unknown ones vanish
/// (ExpandVariables.expand).
std::string expand(std::string_view text, const core::Variables& variables);

/// `over`'s variables put onto `base`'s: a key that is there is replaced where it
/// stands, a new one is appended (Variables::Helpers.merge_variables).
std::vector<core::Variable> merge_variables(std::vector<core::Variable> base,
                                            const std::vector<core::Variable>& over);

}  // namespace berth::local::pipeline
