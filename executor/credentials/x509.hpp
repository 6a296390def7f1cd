#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// Keys and certificates as OpenSSL reads them.
namespace berth::credentials {

class Certificate {
 public:
  /// Nothing where it is not one, or bytes follow it.
  static std::optional<Certificate> parse(std::string_view der);

  /// "CN=deployer,O=system:masters", fit to print.
  std::string subject() const;
  std::chrono::sys_seconds not_before() const;
  std::chrono::sys_seconds not_after() const;
  bool is_issued_by(const Certificate& other) const;

 private:
  friend class PrivateKey;
  struct Impl;
  explicit Certificate(std::shared_ptr<const Impl> impl) : m_impl(std::move(impl)) {}
  std::shared_ptr<const Impl> m_impl;
};

class PrivateKey {
 public:
  /// PKCS #8, PKCS #1 or SEC 1; nothing where it is none of them.
  static std::optional<PrivateKey> parse(std::string_view der);

  /// "RSA 2048", "EC prime256v1", "ED25519"
  std::string kind() const;
  bool belongs_to(const Certificate& certificate) const;

 private:
  struct Impl;
  explicit PrivateKey(std::shared_ptr<const Impl> impl) : m_impl(std::move(impl)) {}
  std::shared_ptr<const Impl> m_impl;
};

/// True for an encrypted PKCS #8 structure.
bool is_encrypted_key(std::string_view der);
/// True for a public key (SubjectPublicKeyInfo).
bool is_public_key(std::string_view der);
/// As ssh-keygen -l shows it: "SHA256:" and unpadded base64.
std::string ssh_fingerprint(std::string_view public_key);

}  // namespace berth::credentials
