#pragma once

#include "executor/core/backend.hpp"
#include "executor/masking/stage_secrets.hpp"
#include "executor/support/fd.hpp"
#include "stages/masked_log.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace berth::stages {

/// The agents' note as a run sees it: the secrets that its log may not show, and the
/// values that its script is to have in another form.
///
/// The name is prepare's, of sandbox.json; where prepare left none, the first script
/// that asks for a mask makes one, and TMPDIR/note.<role> tells later stages of it.
class RunSecrets final : public core::StageNote {
 public:
  RunSecrets(MaskedLog& log, const core::Sandbox& sandbox, core::ContainerRole role,
             std::filesystem::path tmpdir, support::Console& console);

  const std::string& name() const override { return m_name; }
  bool wanted() const override { return m_wanted; }
  void take(std::string_view bytes, std::string& script) override;
  std::optional<support::Secret> changed() override;
  void not_kept(std::string_view why) override;

  /// What the script asked to be masked, for the stages in the other container too, and,
  /// where it was cancelled, in its own; by the agents' sockets, as far as there are any.
  /// At once where there is nothing of that kind; what fails is a warning.
  void share(const core::Sandbox& sandbox, bool cancelled = false);

  /// What another program needs to go on with this log, in memory that execv() passes
  /// on: its descriptor. Throws SystemError.
  support::Fd hand_over();
  /// Of hand_over() of the program before; closes it. Throws SystemError.
  void take_over(int descriptor);

 private:
  void use(masking::StageSecrets secrets);
  std::filesystem::path marker(core::ContainerRole role) const;
  bool has_marker(core::ContainerRole role);
  void find_name();
  masking::StageSecrets known() const;
  support::Secret kept() const;

  MaskedLog& m_log;
  core::ContainerRole m_role;
  std::filesystem::path m_tmpdir;
  support::Console& m_console;
  std::string m_name;
  bool m_by_prepare = false;
  bool m_wanted = false;
  /// This stage has asked for masks; kept by its own agent.
  bool m_changed = false;
  masking::StageSecrets m_secrets;
};

}  // namespace berth::stages
