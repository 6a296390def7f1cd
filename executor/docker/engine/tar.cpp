#include "executor/docker/engine/tar.hpp"

#include <array>
#include <cstring>
#include <stdexcept>

namespace berth::docker {
namespace {

constexpr std::size_t k_block = 512;

/// Offsets and lengths of the header's fields.
struct Field {
  std::size_t at;
  std::size_t length;
};
constexpr Field k_name{0, 100};
constexpr Field k_mode{100, 8};
constexpr Field k_uid{108, 8};
constexpr Field k_gid{116, 8};
constexpr Field k_size{124, 12};
constexpr Field k_mtime{136, 12};
constexpr Field k_checksum{148, 8};
constexpr std::size_t k_type = 156;
constexpr std::size_t k_magic = 257;

using Header = std::array<char, k_block>;

std::size_t padding(std::size_t size) {
  return (k_block - size % k_block) % k_block;
}

/// Octal digits, zero-filled, with an ending zero byte.
void put_octal(Header& header, Field field, std::uint64_t value) {
  for (std::size_t i = field.length - 1; i-- > 0; value >>= 3)
    header[field.at + i] = static_cast<char>('0' + (value & 7));
  if (value != 0) throw std::invalid_argument("tar: a number is too large");
}

std::optional<std::uint64_t> get_octal(std::string_view header, Field field) {
  std::uint64_t value = 0;
  bool digits = false;
  for (const char c : header.substr(field.at, field.length)) {
    if (c == '\0' || c == ' ') {
      if (digits) break;
      continue;
    }
    if (c < '0' || c > '7' || value >> 60 != 0) return std::nullopt;
    value = value << 3 | static_cast<std::uint64_t>(c - '0');
    digits = true;
  }
  return value;
}

/// The sum of all bytes, the checksum's own counted as blanks.
std::uint64_t checksum(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < k_block; ++i) {
    const bool own = i >= k_checksum.at && i < k_checksum.at + k_checksum.length;
    sum += own ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

}  // namespace

void TarWriter::add(const TarEntry& entry) {
  if (entry.name.empty() || entry.name.size() > k_name.length || entry.name.front() == '/' ||
      entry.name.find('\0') != std::string::npos ||
      ("/" + entry.name + "/").find("/../") != std::string::npos)
    throw std::invalid_argument("tar: a name is empty, too long, absolute or leads out");
  Header header{};
  std::memcpy(header.data() + k_name.at, entry.name.data(), entry.name.size());
  put_octal(header, k_mode, entry.mode & 07777U);
  put_octal(header, k_uid, 0);
  put_octal(header, k_gid, 0);
  put_octal(header, k_size, entry.content.size());
  put_octal(header, k_mtime, static_cast<std::uint64_t>(entry.mtime < 0 ? 0 : entry.mtime));
  header[k_type] = entry.name.back() == '/' ? '5' : '0';
  std::memcpy(header.data() + k_magic,
              "ustar\0"
              "00",
              8);
  const std::string_view view(header.data(), header.size());
  put_octal(header, {k_checksum.at, k_checksum.length - 1}, checksum(view));
  header[k_checksum.at + k_checksum.length - 1] = ' ';
  m_bytes.append(view);
  m_bytes.append(entry.content);
  m_bytes.append(padding(entry.content.size()), '\0');
}

std::string TarWriter::finish() {
  m_bytes.append(2 * k_block, '\0');
  std::string bytes;
  bytes.swap(m_bytes);
  return bytes;
}

std::optional<std::string> first_file(std::string_view tar) {
  while (tar.size() >= k_block) {
    const std::string_view header = tar.substr(0, k_block);
    if (header.find_first_not_of('\0') == std::string_view::npos) return std::nullopt;
    const auto sum = get_octal(header, k_checksum);
    const auto size = get_octal(header, k_size);
    if (!sum || *sum != checksum(header) || !size) return std::nullopt;
    tar.remove_prefix(k_block);
    if (*size > tar.size()) return std::nullopt;
    const char type = header[k_type];
    if (type == '0' || type == '\0') return std::string(tar.substr(0, *size));
    tar.remove_prefix(std::min<std::size_t>(tar.size(), *size + padding(*size)));
  }
  return std::nullopt;
}

}  // namespace berth::docker
