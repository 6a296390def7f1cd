#include "cli/local/runner/cache_key.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cctype>
#include <filesystem>
#include <stdexcept>

namespace berth::local::runner {
namespace {

std::string decoded(std::string_view key) {
  std::string result;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::string_view code = key.substr(i, 3);
    if (code == "%2f" || code == "%2F") {
      result.push_back('/');
      i += 2;
    } else if (code == "%2e" || code == "%2E") {
      result.push_back('.');
      i += 2;
    } else {
      result.push_back(key[i] == '\\' ? '/' : key[i]);
    }
  }
  return result;
}

}  // namespace

std::optional<std::string> sanitize_cache_key(std::string_view key) {
  std::string path = std::filesystem::path("/" + decoded(key)).lexically_normal().string();
  while (!path.empty() &&
         (path.back() == '/' || std::isspace(static_cast<unsigned char>(path.back())) != 0)) {
    path.pop_back();
  }
  path.erase(0, path.find_first_not_of('/'));
  if (path.empty()) return std::nullopt;
  return path;
}

std::string hashed_cache_key(std::string_view key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(key.data(), key.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("cannot hash a cache key: SHA-256 is not available in this OpenSSL");
  }
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace berth::local::runner
