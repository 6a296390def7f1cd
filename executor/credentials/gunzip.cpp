#include "executor/credentials/gunzip.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <zlib.h>

namespace berth::credentials {
namespace {

/// zlib's state of one stream.
class Inflater {
 public:
  explicit Inflater(std::string_view packed) {
    // zlib does not write through next_in.
    m_stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    m_stream.avail_in = static_cast<uInt>(packed.size());
    constexpr int k_gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&m_stream, k_gzip_only) != Z_OK) throw std::bad_alloc();
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&m_stream); }

  z_stream& stream() { return m_stream; }

 private:
  z_stream m_stream{};
};

/// The last four bytes: what its maker says of the unpacked size, modulo 2^32.
std::size_t claimed_size(std::string_view packed) {
  if (packed.size() < 18) return 0;
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i)
    size = size << 8U | static_cast<unsigned char>(packed[packed.size() - 1 - i]);
  return size;
}

}  // namespace

Unpacked gunzip(std::string_view packed, std::size_t limit) {
  using End = Unpacked::End;
  Unpacked result;
  if (packed.size() > std::numeric_limits<uInt>::max()) {
    result.end = End::too_big;
    return result;
  }
  Inflater inflater(packed);
  z_stream& stream = inflater.stream();
  result.bytes.reserve(std::min(claimed_size(packed), limit));
  std::array<char, 16384> buffer{};
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = buffer.size() - stream.avail_out;
    if (got > limit - result.bytes.size()) {
      result.end = End::too_big;
      return result;
    }
    result.bytes.append(buffer.data(), got);
    if (code == Z_STREAM_END) break;
    if (code == Z_BUF_ERROR || (code == Z_OK && stream.avail_in == 0 && stream.avail_out != 0)) {
      result.end = End::cut;
      return result;
    }
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code != Z_OK) {
      result.end = End::damaged;
      return result;
    }
  }
  if (stream.avail_in != 0) result.end = End::damaged;
  return result;
}

}  // namespace berth::credentials
