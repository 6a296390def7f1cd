#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The little of POSIX ustar that the archive calls of the engine need (POSIX
/// pax, "ustar Interchange Format"): regular files and directories, owned by
/// root. Pure.
namespace berth::docker {

struct TarEntry {
  /// Relative, at most 100 bytes, no "..".
  std::string name{};
  std::string content{};
  std::uint32_t mode = 0644;
  /// Seconds since the epoch.
  std::int64_t mtime = 0;
};

class TarWriter {
 public:
  /// Throws std::invalid_argument for a name or size that ustar has no room for.
  void add(const TarEntry& entry);
  /// The archive with its end; the writer is empty then.
  std::string finish();

 private:
  std::string m_bytes;
};

/// The content of the first regular file, if there is one and the archive is in
/// order up to its end.
std::optional<std::string> first_file(std::string_view tar);

}  // namespace berth::docker
