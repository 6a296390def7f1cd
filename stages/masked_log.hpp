#pragma once

#include "executor/core/backend.hpp"
#include "executor/masking/masker.hpp"
#include "executor/masking/stage_secrets.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::stages {

/// What a script may show of its output: secrets are masked on the way to the log.
/// What write() has taken is in the log, or held back here; no other program has it
/// then, so it is save()d for the one that goes on, or finish()ed. One thread.
class MaskedLog final : public core::OutputSink {
 public:
  explicit MaskedLog(core::OutputSink& log) : m_log(log) {}

  /// Before the first write(); otherwise nothing but what the script itself asks for
  /// is masked.
  void mask(const masking::StageSecrets& secrets);

  void write(std::string_view bytes) override;
  /// The script has ended: what was held back is written.
  void finish();
  /// The same where the log may be the reason for it, or be gone.
  void finish_quietly() noexcept;

  /// Values that the script asked to be masked, and that were not known before.
  std::vector<support::Secret> requested() const;

  /// Where the output is, for restore() of a log with the same secrets.
  support::Secret save();
  /// Throws SystemError where the bytes are not of that kind.
  void restore(std::string_view saved);

 private:
  masking::Masker& masker();

  core::OutputSink& m_log;
  std::optional<masking::Masker> m_masker;
};

}  // namespace berth::stages
