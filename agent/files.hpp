#pragma once

#include "agent/protocol/messages.hpp"

#include <string>
#include <sys/types.h>

namespace berth::agent {

/// Makes a directory and its parents; one that is there already is well. Returns
/// 0, or -1 with errno.
int make_directories(const std::string& path, mode_t mode);

/// Writes the file of a PUT: to a temporary name beside it, then renamed, so that
/// a reader sees the old file or the whole new one, and a link that stands there
/// is replaced, not followed. With protocol::k_link_mode a link, where nothing stands.
protocol::FileReply put_file(const protocol::Put& put);

/// Reads the file of a GET: a regular file, at most protocol::k_max_file bytes;
/// a link is refused (ELOOP).
protocol::FileReply get_file(const protocol::Get& get);

/// Lets every user write into a directory that nobody has used yet: empty, of
/// root, 0755, as an engine makes a fresh volume. Anything else is left alone.
void open_fresh_directory(const std::string& path);

}  // namespace berth::agent
