#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <sys/uio.h>

namespace berth::agent {

/// The output of one stage that its driver has not acknowledged. Positions are
/// offsets in the whole output. Memory is used as far as it was ever filled.
class OutputRing {
 public:
  explicit OutputRing(std::size_t capacity);

  /// Lowest offset still held.
  std::uint64_t begin() const noexcept { return m_begin; }
  /// One past the last byte written.
  std::uint64_t end() const noexcept { return m_end; }
  std::size_t room() const noexcept {
    return m_capacity - static_cast<std::size_t>(m_end - m_begin);
  }

  /// Where the next bytes go, at most `limit`; the second part may be empty.
  std::array<iovec, 2> space(std::size_t limit) noexcept;
  /// `count` bytes of space() have been filled.
  void fill(std::size_t count) noexcept { m_end += count; }
  /// Bytes from `offset` on, at most `limit`; fewer where the ring wraps.
  std::string_view at(std::uint64_t offset, std::size_t limit) const noexcept;
  /// Bytes below `offset` are safe elsewhere. begin() <= offset <= end().
  void forget(std::uint64_t offset) noexcept;

 private:
  std::size_t m_capacity;
  std::unique_ptr<char[]> m_bytes;
  std::uint64_t m_begin = 0;
  std::uint64_t m_end = 0;
  /// The offset that stands at m_bytes[0].
  std::uint64_t m_base = 0;
};

}  // namespace berth::agent
