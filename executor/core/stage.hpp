#pragma once

#include <string>
#include <string_view>

namespace berth::core {

/// The four stages of the custom executor protocol: one program each.
enum class Stage { config, prepare, run, cleanup };

std::string_view to_string(Stage stage);

/// The two containers a job's scripts run in.
enum class ContainerRole { helper, build };

std::string_view to_string(ContainerRole role);

/// What run_exec is asked to run: the second argument of berth-run
/// ("prepare_script", "get_sources", "build_script", "step_release", ...).
/// A name this version does not know is kept as it is.
class ScriptStage {
 public:
  explicit ScriptStage(std::string name) : m_name(std::move(name)) {}

  const std::string& name() const noexcept { return m_name; }

  /// build_script, step_*, after_script and every unknown name run in the build
  /// container; the rest of the runner's own stages run in the helper
  /// (gitlab-runner, common/build.go, predefined stages).
  ContainerRole container() const;

  /// True where the words are the user's (build_script, step_*, after_script).
  bool runs_user_script() const;

 private:
  std::string m_name;
};

}  // namespace berth::core
