#include "executor/core/stage.hpp"

#include <algorithm>
#include <array>

namespace berth::core {
namespace {

// The runner's own stages that the built-in executors run in the helper
// (gitlab-runner, common/build.go). `get_sources` and its kin need git and the
// runner's binary, which job images do not have.
constexpr std::array<std::string_view, 10> k_helper_stages{
    "prepare_script",
    "get_sources",
    "clear_worktree",
    "restore_cache",
    "download_artifacts",
    "archive_cache",
    "archive_cache_on_failure",
    "upload_artifacts_on_success",
    "upload_artifacts_on_failure",
    "cleanup_file_variables",
};

}  // namespace

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::config:
      return "config";
    case Stage::prepare:
      return "prepare";
    case Stage::run:
      return "run";
    case Stage::cleanup:
      return "cleanup";
  }
  return "unknown";
}

std::string_view to_string(ContainerRole role) {
  return role == ContainerRole::helper ? "helper" : "build";
}

ContainerRole ScriptStage::container() const {
  const bool helper =
      std::find(k_helper_stages.begin(), k_helper_stages.end(), m_name) != k_helper_stages.end();
  return helper ? ContainerRole::helper : ContainerRole::build;
}

bool ScriptStage::runs_user_script() const {
  return m_name == "build_script" || m_name == "after_script" || m_name.starts_with("step_");
}

}  // namespace berth::core
