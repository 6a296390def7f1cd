// PEM: private keys with their certificates, chains, OpenSSH keys.

#include "executor/credentials/pem.hpp"

#include "executor/credentials/types/openssh.hpp"
#include "executor/credentials/types/recognise.hpp"
#include "executor/credentials/words.hpp"
#include "executor/credentials/x509.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace berth::credentials {
namespace {

using support::Secret;

constexpr std::string_view k_openssh = "OPENSSH PRIVATE KEY";

bool is_certificate(const PemBlock& block) {
  return block.label == "CERTIFICATE" || block.label == "X509 CERTIFICATE";
}

/// Everything that a text of PEM blocks says, checked block by block.
class Examination {
 public:
  explicit Examination(std::chrono::sys_seconds now) : m_now(now) {}

  void add(const PemBlock& block) {
    const std::string_view der = block.der.expose();
    if (block.is_private()) {
      m_credential.secrets.emplace_back(block.body());
      add_key(block);
    } else if (is_certificate(block)) {
      if (auto certificate = Certificate::parse(der))
        m_chain.push_back(std::move(*certificate));
      else
        m_credential.problems.push_back(
            fmt::format("certificate {} cannot be read", m_chain.size() + 1));
    } else if (block.label == "PUBLIC KEY" && !is_public_key(der)) {
      m_credential.problems.emplace_back("the public key cannot be read");
    }
    m_text += block.text();
  }

  Recognised finish() {
    if (!m_key_kind.empty() || !m_chain.empty()) look_at_chain();
    if (m_ssh) {
      m_credential.type = Type::ssh_key;
    } else if (!m_credential.secrets.empty()) {
      m_credential.type = Type::private_key;
    } else if (!m_chain.empty() || !m_credential.problems.empty()) {
      m_credential.type = Type::certificates;
    } else {
      return {};  // public keys, requests, parameters
    }
    m_credential.subject = m_key_kind;
    if (!m_chain.empty())
      m_credential.subject += (m_key_kind.empty() ? "of " : " of ") + m_chain.front().subject();
    m_credential.content = Secret(std::move(m_text));
    return settled(std::move(m_credential));
  }

 private:
  void add_key(const PemBlock& block) {
    const std::string_view der = block.der.expose();
    if (block.label == k_openssh) {
      m_ssh = true;
      const OpenSshKey key = read_openssh_key(der);
      if (!key.fault.empty()) m_credential.problems.push_back(key.fault);
      m_key_kind = key.subject;
      if (key.encrypted) m_credential.notes.emplace_back("protected by a passphrase");
      return;
    }
    if (block.headers.find("ENCRYPTED") != std::string::npos ||
        block.label == "ENCRYPTED PRIVATE KEY") {
      // Without its passphrase only its frame can be looked at.
      if (block.headers.empty() && !is_encrypted_key(der))
        m_credential.problems.emplace_back("the encrypted key cannot be read");
      m_credential.notes.emplace_back("protected by a passphrase");
      m_key_kind = "encrypted";
      return;
    }
    if (auto key = PrivateKey::parse(der)) {
      m_key_kind = key->kind();
      if (!m_key) m_key = std::move(key);
    } else {
      m_credential.problems.emplace_back("the private key cannot be read");
    }
  }

  void look_at_chain() {
    for (std::size_t i = 0; i < m_chain.size(); ++i) {
      const std::string name =
          m_chain.size() == 1 ? "the certificate" : fmt::format("certificate {}", i + 1);
      note_expiry(m_credential, name, m_chain[i].not_after(), m_now);
      if (m_chain[i].not_before() > m_now)
        m_credential.problems.push_back(
            fmt::format("{} is not valid before {}", name, shown_date(m_chain[i].not_before())));
      if (m_key && i + 1 < m_chain.size() && !m_chain[i].is_issued_by(m_chain[i + 1]))
        m_credential.notes.push_back(
            fmt::format("certificate {} is not issued by the next one", i + 1));
    }
    if (m_chain.size() > 1)
      m_credential.notes.push_back(fmt::format("{} certificates", m_chain.size()));
    if (!m_key || m_chain.empty()) return;
    const bool fits = std::ranges::any_of(
        m_chain, [&](const Certificate& one) { return m_key->belongs_to(one); });
    if (!fits) {
      m_credential.problems.emplace_back("the key belongs to none of the certificates");
    } else if (!m_key->belongs_to(m_chain.front())) {
      m_credential.problems.emplace_back("the key's certificate does not stand first");
    }
  }

  std::chrono::sys_seconds m_now;
  Credential m_credential;
  std::vector<Certificate> m_chain;
  std::optional<PrivateKey> m_key;
  std::string m_key_kind;
  std::string m_text;
  bool m_ssh = false;
};

}  // namespace

Recognised recognise_pem(std::string_view text, std::chrono::sys_seconds now) {
  const PemText pem = read_pem(text);
  if (pem.end == PemText::End::cut) return damaged(Verdict::truncated, pem.fault);
  if (pem.end == PemText::End::damaged) return damaged(Verdict::garbage, pem.fault);
  Examination examination(now);
  for (const PemBlock& block : pem.blocks) examination.add(block);
  return examination.finish();
}

}  // namespace berth::credentials
