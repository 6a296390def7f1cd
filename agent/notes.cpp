#include "agent/notes.hpp"

#include <cerrno>

namespace berth::agent {
namespace {

void wipe(std::string& text) {
  volatile char* bytes = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = 0;
}

}  // namespace

bool is_note(std::string_view path) {
  return path.starts_with(protocol::k_note_prefix);
}

Notes::~Notes() {
  for (auto& [name, text] : m_notes) wipe(text);
}

protocol::FileReply Notes::put(const protocol::Put& put) {
  constexpr std::size_t k_longest_name = 128;
  protocol::FileReply reply{.tag = put.tag, .error = 0, .bytes = {}};
  std::size_t others = 0;
  for (const auto& [name, text] : m_notes)
    if (name != put.path) others += text.size();
  const auto known = m_notes.find(put.path);
  const bool full = known == m_notes.end() && m_notes.size() >= protocol::k_max_notes;
  if (full || others + put.bytes.size() > protocol::k_max_file ||
      put.path.size() > k_longest_name) {
    reply.error = ENOSPC;
    return reply;
  }
  std::string& text = known == m_notes.end() ? m_notes[put.path] : known->second;
  wipe(text);
  text = put.bytes;
  return reply;
}

protocol::FileReply Notes::get(const protocol::Get& get) const {
  const auto found = m_notes.find(get.path);
  if (found == m_notes.end()) return {.tag = get.tag, .error = ENOENT, .bytes = {}};
  return {.tag = get.tag, .error = 0, .bytes = found->second};
}

}  // namespace berth::agent
