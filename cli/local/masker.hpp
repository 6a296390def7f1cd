#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::local {

/// Replaces secrets in a stream by "[MASKED]", wherever the stream is cut: the
/// longest of those that begin at the same place. One per stream.
class Masker {
 public:
  using Sink = std::function<void(std::string_view)>;

  /// Empty values are ignored.
  Masker(std::vector<std::string> secrets, Sink sink);

  /// Passes on what cannot be part of a secret any more.
  void feed(std::string_view bytes);
  /// The stream pauses or ends: what was held back is passed on.
  void flush();

 private:
  std::vector<std::string> m_secrets;
  Sink m_sink;
  std::string m_held;
};

}  // namespace berth::local
