#include "cli/local/pipeline/digest.hpp"

#include "executor/support/error.hpp"

#include <fmt/core.h>
#include <openssl/evp.h>

namespace berth::local::pipeline {
namespace {

std::vector<unsigned char> digest(std::string_view text, const EVP_MD* kind) {
  std::vector<unsigned char> bytes(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), bytes.data(), &size, kind, nullptr) != 1) {
    throw support::SystemError("digest: the cryptography library refused it");
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string sha1_hex(std::string_view text) {
  std::string hex;
  for (const unsigned char byte : digest(text, EVP_sha1())) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::vector<unsigned char> sha256(std::string_view text) {
  return digest(text, EVP_sha256());
}

}  // namespace berth::local::pipeline
