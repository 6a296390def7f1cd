#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace berth::net {

/// What one non-blocking read or write did.
struct DuplexIo {
  enum class State {
    moved,        ///< `bytes` > 0 were moved
    would_block,  ///< nothing now: poll
    closed,       ///< the other end is gone; `why` says what is known, empty for a plain end
  };
  State state = State::would_block;
  std::size_t bytes = 0;
  std::string why;
};

/// A connection that an HTTP server has handed over: raw bytes both ways, through
/// TLS where the server has it. Used by one thread; closed by the destructor.
/// Nothing blocks and nothing throws but std::bad_alloc.
class DuplexStream {
 public:
  virtual ~DuplexStream() = default;
  DuplexStream(const DuplexStream&) = delete;
  DuplexStream& operator=(const DuplexStream&) = delete;

  /// The descriptor to poll; constant.
  virtual int fd() const = 0;
  /// Bytes are here that a poll of fd() does not tell of.
  virtual bool buffered() const = 0;
  virtual DuplexIo read(std::span<char> into) = 0;
  virtual DuplexIo write(std::string_view bytes) = 0;

 protected:
  DuplexStream() = default;
};

}  // namespace berth::net
