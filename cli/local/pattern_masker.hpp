#pragma once

#include "cli/local/masker.hpp"

#include <string>
#include <string_view>

namespace berth::local {

/// Replaces by "[MASKED]" what looks like a credential, as the runner does: what
/// follows the prefix of one of GitLab's tokens ("glpat-"), and the value of a
/// URL's parameter that holds one ("?private_token="). Wherever the stream is
/// cut. One per stream. (gitlab-runner, common/buildlogger: tokensanitizer and
/// urlsanitizer.)
class PatternMasker {
 public:
  explicit PatternMasker(Masker::Sink sink) : m_sink(std::move(sink)) {}

  /// Passes on what cannot begin one any more.
  void feed(std::string_view bytes);
  /// The stream pauses or ends: what was held back is passed on.
  void flush();

 private:
  enum class Value { none, of_token, of_parameter };

  Masker::Sink m_sink;
  /// The beginning of a prefix, perhaps.
  std::string m_held;
  Value m_value = Value::none;
  /// "[MASKED]" stands for the value already.
  bool m_told = false;
};

}  // namespace berth::local
