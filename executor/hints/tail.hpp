#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::hints {

/// The last bytes of a stream that may be long. Costs a copy of at most k_kept bytes
/// for each piece, and no search.
class Tail {
 public:
  static constexpr std::size_t k_kept = std::size_t{8} << 10;

  void add(std::string_view bytes);
  /// At most k_kept bytes; its first line may lack its beginning.
  std::string_view text() const;

 private:
  /// Up to twice as much, so that small pieces are seldom moved.
  std::string m_bytes;
};

}  // namespace berth::hints
