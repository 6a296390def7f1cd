#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace berth::local::server {

/// Takes the part named "file" out of a multipart/form-data body that arrives
/// in pieces (RFC 7578), holding no more of it than a boundary.
class MultipartFile {
 public:
  using Sink = std::function<void(std::string_view)>;

  /// `content_type` is the header's value. Throws std::runtime_error when it
  /// names no multipart boundary.
  MultipartFile(std::string_view content_type, Sink sink);

  /// Throws std::runtime_error when the body is malformed.
  void feed(std::string_view bytes);
  /// Throws std::runtime_error when the body ended too early or had no file.
  void finish() const;
  /// As the part's header named it, without control characters and quotes.
  const std::string& filename() const noexcept { return m_filename; }

 private:
  enum class State { preamble, headers, file, other_part, end };

  bool step();
  void read_headers(std::string_view block);

  std::string m_delimiter;
  Sink m_sink;
  std::string m_buffer;
  std::string m_filename;
  State m_state = State::preamble;
  bool m_found = false;
};

}  // namespace berth::local::server
