#pragma once

#include <string>

namespace berth::tests {

/// A certificate and its key, both PEM.
struct Certificate {
  std::string certificate_pem{};
  std::string key_pem{};
};

/// An authority that signs certificates (EC P-256, valid for a day).
class Authority {
 public:
  explicit Authority(const std::string& name);

  const std::string& ca_pem() const { return m_ca.certificate_pem; }
  /// names as OpenSSL writes them in configuration files.
  Certificate server(const std::string& names = "DNS:localhost,IP:127.0.0.1") const;
  Certificate client(const std::string& name) const;

 private:
  Certificate m_ca;
};

}  // namespace berth::tests
