#pragma once

#include <string>
#include <string_view>

namespace berth::credentials {

struct OpenSshKey {
  /// "ssh-ed25519 SHA256:..."
  std::string subject{};
  bool encrypted = false;
  /// What is wrong with it; never content.
  std::string fault{};
};

/// Reads the structure of an OpenSSH private key (openssh-portable, PROTOCOL.key).
OpenSshKey read_openssh_key(std::string_view der);

}  // namespace berth::credentials
