#pragma once

#include "agent/protocol/messages.hpp"

#include <map>
#include <string>
#include <string_view>

namespace berth::agent {

/// A path of PUT or GET that names a note (protocol::k_note_prefix).
bool is_note(std::string_view path);

/// Small texts of the driver that later stages fetch again: in this process's memory,
/// which no file shows, at most protocol::k_max_notes of them and k_max_file bytes
/// together. Overwritten when they are replaced. One thread.
class Notes {
 public:
  Notes() = default;
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;
  ~Notes();

  /// ENOSPC where there is no room for it; then the old one stays.
  protocol::FileReply put(const protocol::Put& put);
  /// ENOENT where there is none of that name.
  protocol::FileReply get(const protocol::Get& get) const;

 private:
  std::map<std::string, std::string, std::less<>> m_notes;
};

}  // namespace berth::agent
