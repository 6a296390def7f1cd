#pragma once

#include "executor/core/job.hpp"
#include "executor/masking/masks.hpp"
#include "executor/settings/credentials.hpp"
#include "executor/support/console.hpp"

#include <string>
#include <string_view>

/// What a cluster says of a deployment (the last words of a container, a refusal) may hold
/// what the job was given in confidence. It is taken out before it comes to the job log, to
/// the ledger or to events.
namespace berth::app {

/// Thread-safe.
class MaskedWords {
 public:
  /// Masks what GitLab says is masked, and the secret parts of the job's credentials;
  /// `expanded` has the values that its scripts see.
  MaskedWords(const core::Job& job, const core::Variables& expanded,
              const settings::Credentials& settings);

  /// The text with "[MASKED]" in place of each value, in any of its printed forms.
  std::string operator()(std::string_view text) const;

 private:
  masking::Masks m_masks;
};

/// Both outlive it.
class MaskedConsole final : public support::Console {
 public:
  MaskedConsole(support::Console& console, const MaskedWords& words)
      : m_console(console), m_words(words) {}

  void line(std::string_view text) override { m_console.line(m_words(text)); }
  void warning(std::string_view text) override { m_console.warning(m_words(text)); }
  void hint(std::string_view text) override { m_console.hint(m_words(text)); }

 private:
  support::Console& m_console;
  const MaskedWords& m_words;
};

}  // namespace berth::app
