#pragma once

#include "executor/core/job.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace berth::local {

/// A project variable as `--variables-file` gives it.
struct ProjectVariable {
  core::Variable variable;
  /// Only for protected refs.
  bool is_protected = false;
  /// `*`, `production`, `review/*`: only jobs of such environments.
  std::string environment_scope = "*";
};

/// YAML or JSON, in either of two forms: a map
///
///     PLAIN: value
///     TOKEN: {value: s3cret, masked: true, raw: true}
///     KUBECONFIG: {from_file: deploy/kubeconfig, file: true, environment_scope: prod}
///
/// or the list that GitLab's API gives (GET /projects/:id/variables), with key,
/// value, variable_type (env_var, file), masked, raw, protected and
/// environment_scope. `from_file` is relative to `directory`. Throws
/// support::OperatorError "<name>:<line>:<column>: ..." for anything else.
std::vector<ProjectVariable> parse_variables_file(std::string_view text, std::string_view name,
                                                  const std::filesystem::path& directory);

/// Those that a job may see.
std::vector<core::Variable> visible(const std::vector<ProjectVariable>& all, bool ref_protected,
                                    const std::string& environment);

}  // namespace berth::local
