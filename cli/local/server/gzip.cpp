#include "cli/local/server/gzip.hpp"

#include <boost/beast/zlib/inflate_stream.hpp>
#include <boost/crc.hpp>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace berth::local::server {
namespace {

namespace zlib = boost::beast::zlib;

[[noreturn]] void damaged() {
  throw std::runtime_error("a gzip file is damaged");
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// Takes the member's header off.
void skip_header(std::string_view& rest) {
  if (rest.size() < 18 || !rest.starts_with("\x1f\x8b\x08")) damaged();
  const auto flags = static_cast<unsigned char>(rest[3]);
  rest.remove_prefix(10);
  const auto skip = [&rest](std::size_t count) {
    if (rest.size() < count) damaged();
    rest.remove_prefix(count);
  };
  if ((flags & 4U) != 0) {
    if (rest.size() < 2) damaged();
    skip(2U + static_cast<unsigned char>(rest[0]) +
         (std::size_t{static_cast<unsigned char>(rest[1])} << 8U));
  }
  for (const unsigned bit : {8U, 16U}) {  // name, comment: to their zero byte
    if ((flags & bit) != 0) skip(std::min(rest.find('\0'), rest.size() - 1) + 1);
  }
  if ((flags & 2U) != 0) skip(2);
}

std::string inflate_member(std::string_view& rest, std::size_t limit) {
  zlib::inflate_stream stream;
  zlib::z_params params;
  params.next_in = rest.data();
  params.avail_in = rest.size();
  std::string result;
  std::array<char, 16384> buffer{};
  boost::beast::error_code error;
  while (error != zlib::error::end_of_stream) {
    params.next_out = buffer.data();
    params.avail_out = buffer.size();
    stream.write(params, zlib::Flush::sync, error);
    result.append(buffer.data(), buffer.size() - params.avail_out);
    if (result.size() > limit) throw std::runtime_error("a gzip file is too large");
    if (error && error != zlib::error::end_of_stream) damaged();
    if (!error && params.avail_out != 0 && params.avail_in == 0) damaged();
  }
  rest.remove_prefix(rest.size() - params.avail_in);
  return result;
}

}  // namespace

std::string gunzip(std::string_view bytes, std::size_t limit) {
  std::string result;
  while (!bytes.empty()) {
    skip_header(bytes);
    const std::string member = inflate_member(bytes, limit - result.size());
    boost::crc_32_type checksum;
    checksum.process_bytes(member.data(), member.size());
    if (bytes.size() < 8 || little_endian(bytes) != checksum.checksum() ||
        little_endian(bytes.substr(4)) != static_cast<std::uint32_t>(member.size())) {
      damaged();
    }
    bytes.remove_prefix(8);
    result += member;
  }
  return result;
}

}  // namespace berth::local::server
