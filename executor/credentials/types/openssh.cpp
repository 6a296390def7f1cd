#include "executor/credentials/types/openssh.hpp"

#include "executor/credentials/words.hpp"
#include "executor/credentials/x509.hpp"

#include <cstdint>
#include <optional>

namespace berth::credentials {
namespace {

/// Takes values off the front; remembers that something was missing.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : m_rest(bytes) {}

  std::uint32_t number() {
    if (m_rest.size() < 4) {
      m_short = true;
      return 0;
    }
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(m_rest[i]);
    m_rest.remove_prefix(4);
    return value;
  }

  std::string_view text() {
    const std::uint32_t size = number();
    if (m_short || size > m_rest.size()) {
      m_short = true;
      return {};
    }
    const std::string_view value = m_rest.substr(0, size);
    m_rest.remove_prefix(size);
    return value;
  }

  bool whole() const { return !m_short; }
  bool at_end() const { return m_rest.empty(); }

 private:
  std::string_view m_rest;
  bool m_short = false;
};

}  // namespace

OpenSshKey read_openssh_key(std::string_view der) {
  constexpr std::string_view k_magic("openssh-key-v1\0", 15);
  OpenSshKey key;
  if (!der.starts_with(k_magic)) {
    key.fault = "the SSH key is of no known format";
    return key;
  }
  Fields fields(der.substr(k_magic.size()));
  const std::string_view cipher = fields.text();
  fields.text();  // key derivation
  fields.text();  // its options
  const std::uint32_t keys = fields.number();
  const std::string_view public_key = fields.text();
  const std::string_view private_part = fields.text();
  if (!fields.whole() || keys != 1) {
    key.fault = fields.whole() ? "the SSH key file holds several keys" : "the SSH key is cut";
    return key;
  }
  Fields public_fields(public_key);
  const std::string_view algorithm = public_fields.text();
  if (!public_fields.whole() || algorithm.empty()) {
    key.fault = "the SSH key's public part cannot be read";
    return key;
  }
  key.subject = shown(algorithm) + " " + ssh_fingerprint(public_key);
  key.encrypted = cipher != "none";
  if (key.encrypted) return key;
  Fields private_fields(private_part);
  const std::uint32_t check = private_fields.number();
  if (private_fields.number() != check || private_fields.text() != algorithm ||
      !private_fields.whole() || !fields.at_end())
    key.fault = "the SSH key's private part cannot be read";
  return key;
}

}  // namespace berth::credentials
