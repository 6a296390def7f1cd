#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::local::server {

/// The content of a gzip file, several members one after the other included
/// (RFC 1952). Throws std::runtime_error when it is damaged or larger than
/// `limit` bytes.
std::string gunzip(std::string_view bytes, std::size_t limit);

}  // namespace berth::local::server
