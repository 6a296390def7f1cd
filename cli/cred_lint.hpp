#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// One place of a pipeline where a credential may break or get out.
struct LintFinding {
  std::string file{};
  int line = 0;
  /// Where: "deploy: script", "variables: KUBE_CONFIG".
  std::string where{};
  /// What is wrong with it; never content.
  std::string text{};
  std::string remedy{};
};

/// Looks at the scripts and variables of one file, its includes left out. Throws
/// local::pipeline::InvalidPipeline where it is no YAML.
std::vector<LintFinding> lint_credentials(const std::string& file, const std::string& text,
                                          std::chrono::sys_seconds now);

struct CredLintOptions {
  std::string file = ".gitlab-ci.yml";
  bool json = false;
};

/// Prints them; 0 where there is none, else 1. Throws support::Error.
int run_cred_lint(const CredLintOptions& options);

}  // namespace berth::cli
