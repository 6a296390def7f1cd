#include "cli/local/server/multipart.hpp"

#include <stdexcept>

namespace berth::local::server {
namespace {

constexpr std::size_t k_max_headers = 16384;

/// The value of `name=` in a header, quotes off.
std::string parameter_of(std::string_view header, std::string_view name) {
  const std::string key = "; " + std::string(name) + "=";
  auto at = header.find(key);
  if (at == std::string_view::npos) return {};
  std::string_view value = header.substr(at + key.size());
  if (value.starts_with('"')) {
    value.remove_prefix(1);
    return std::string(value.substr(0, value.find('"')));
  }
  return std::string(value.substr(0, value.find_first_of("; \r\n")));
}

}  // namespace

MultipartFile::MultipartFile(std::string_view content_type, Sink sink) : m_sink(std::move(sink)) {
  const std::string boundary = parameter_of(content_type, "boundary");
  if (!content_type.starts_with("multipart/form-data") || boundary.empty()) {
    throw std::runtime_error("the upload is not multipart/form-data with a boundary");
  }
  m_delimiter = "\r\n--" + boundary;
  // The first boundary may stand at the very beginning.
  m_buffer = "\r\n";
}

void MultipartFile::feed(std::string_view bytes) {
  m_buffer.append(bytes);
  while (step()) {
  }
}

bool MultipartFile::step() {
  switch (m_state) {
    case State::preamble:
    case State::file:
    case State::other_part: {
      const auto at = m_buffer.find(m_delimiter);
      const bool found = at != std::string::npos;
      // What may be the beginning of a boundary stays until more is here.
      const std::size_t keep = m_delimiter.size() - 1;
      const std::size_t ready = found ? at : m_buffer.size() - std::min(m_buffer.size(), keep);
      if (m_state == State::file && ready > 0) m_sink(std::string_view(m_buffer).substr(0, ready));
      m_buffer.erase(0, found ? at + m_delimiter.size() : ready);
      if (found) m_state = State::headers;
      return found;
    }
    case State::headers: {
      if (m_buffer.size() < 2) return false;
      if (m_buffer.starts_with("--")) {
        m_state = State::end;
        return true;
      }
      const auto end = m_buffer.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (m_buffer.size() > k_max_headers)
          throw std::runtime_error("a part of the upload has endless headers");
        return false;
      }
      read_headers(std::string_view(m_buffer).substr(0, end));
      m_buffer.erase(0, end + 4);
      return true;
    }
    case State::end:
      m_buffer.clear();
      return false;
  }
  return false;
}

void MultipartFile::read_headers(std::string_view block) {
  m_state = State::other_part;
  const auto disposition = block.find("form-data");
  if (disposition == std::string_view::npos) return;
  const std::string_view line =
      block.substr(disposition, block.find("\r\n", disposition) - disposition);
  if (parameter_of(line, "name") != "file" || m_found) return;
  m_found = true;
  m_filename = parameter_of(line, "filename");
  // It will stand in a header of the download.
  std::erase_if(m_filename, [](unsigned char c) { return c < ' ' || c == '"' || c == '\x7f'; });
  m_state = State::file;
}

void MultipartFile::finish() const {
  if (m_state != State::end) throw std::runtime_error("the upload ended before its last boundary");
  if (!m_found) throw std::runtime_error("the upload has no part 'file'");
}

}  // namespace berth::local::server
