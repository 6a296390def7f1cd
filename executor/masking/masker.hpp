#pragma once

#include "executor/masking/masks.hpp"
#include "executor/masking/prefixes.hpp"
#include "executor/support/secret.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::masking {

/// Replaces secrets in a stream by "[MASKED]", wherever the stream is cut: what is
/// written does not depend on where. Every byte of every occurrence goes, also of
/// those that overlap; neighbours become one "[MASKED]". A pattern is found over line
/// ends too (base64 prints wrapped), which stay, so that a log keeps its lines; of one
/// that begins less than eight bytes before a line end, what stands before it is
/// shown: otherwise no line could be passed on at its end.
///
/// A line `::add-mask::VALUE` adds a mask from there on, and is shown masked.
///
/// Held back is never more than the longest beginning of a pattern that the stream
/// ends with, or such a line up to k_max_command bytes. One per stream, one thread.
class Masker {
 public:
  using Sink = std::function<void(std::string_view)>;
  static constexpr std::size_t k_max_command = 8192;

  Masker(Masks masks, Sink sink);

  /// Passes on what cannot be part of a secret any more.
  void feed(std::string_view bytes);
  /// The stream ends: what was held back is passed on.
  void flush();

  /// Where the stream is, for another Masker with the same masks (those that were
  /// asked for last, in their order) that goes on where this one stops: with what is
  /// held back. Secret.
  support::Secret save() const;
  /// Before anything was fed. False where the bytes are not of a Masker with as many
  /// patterns.
  bool restore(std::string_view saved);

  /// What lines of the stream asked for, to be masked in later stages too.
  const std::vector<support::Secret>& requested() const noexcept { return m_requested; }

 private:
  /// Bytes of m_buffer.
  struct Span {
    std::size_t begin;
    std::size_t end;
  };
  /// A pattern of which the stream has had the prefix and perhaps more.
  struct Begun {
    std::uint32_t pattern;
    std::size_t matched;
    std::size_t begin;
    /// Where the next byte is compared.
    std::size_t at;
  };
  /// `none`: a line like any other; `open`: its end has not come.
  enum class Command { none, open, done };

  void scan();
  std::size_t next_prefix_end(std::size_t at);
  void prefix_ended();
  /// True where it is decided.
  bool compare(Begun& begun);
  Command read_command(std::size_t begin, bool at_end);
  std::size_t decided_bytes() const;
  void pass_on(std::size_t end);

  Masks m_masks;
  Prefixes m_prefixes;
  Sink m_sink;
  std::vector<support::Secret> m_requested;
  std::size_t m_requested_bytes = 0;

  /// What is not passed on yet.
  std::string m_buffer;
  std::size_t m_scanned = 0;
  Prefixes::State m_state = Prefixes::root();
  std::vector<Begun> m_begun;
  std::vector<Span> m_masked;
  /// Where an ::add-mask:: line begins that has not ended; npos: none.
  std::size_t m_command = std::string::npos;
  /// Of what was passed on.
  char m_last_byte = '\n';
  bool m_last_masked = false;
};

}  // namespace berth::masking
