#include "executor/credentials/x509.hpp"

#include "executor/credentials/words.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/freed_by.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>
#include <utility>

namespace berth::credentials {
namespace {

template <typename T, auto free_function>
using Owned = std::unique_ptr<T, support::FreedBy<free_function>>;

const unsigned char* bytes_of(std::string_view der) {
  return reinterpret_cast<const unsigned char*>(der.data());
}

/// Runs one of OpenSSL's d2i functions; nothing unless it takes all of the bytes.
/// What OpenSSL notes about failures may hold content: it is thrown away.
template <typename Pointer, typename Parse>
Pointer parse_all(std::string_view der, Parse parse) {
  const unsigned char* at = bytes_of(der);
  Pointer object(parse(&at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (object && at != bytes_of(der) + der.size()) object.reset();
  return object;
}

std::chrono::sys_seconds to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

struct Certificate::Impl {
  Owned<X509, X509_free> x509;
};

struct PrivateKey::Impl {
  Owned<EVP_PKEY, EVP_PKEY_free> key;
};

std::optional<Certificate> Certificate::parse(std::string_view der) {
  auto x509 = parse_all<Owned<X509, X509_free>>(
      der, [](const unsigned char** at, long size) { return d2i_X509(nullptr, at, size); });
  if (!x509) return std::nullopt;
  return Certificate(std::make_shared<const Impl>(Impl{std::move(x509)}));
}

std::string Certificate::subject() const {
  const Owned<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  if (!out) return {};
  X509_NAME_print_ex(out.get(), X509_get_subject_name(m_impl->x509.get()), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return size <= 0 ? std::string() : shown({data, static_cast<std::size_t>(size)});
}

std::chrono::sys_seconds Certificate::not_before() const {
  return to_time(X509_get0_notBefore(m_impl->x509.get()));
}

std::chrono::sys_seconds Certificate::not_after() const {
  return to_time(X509_get0_notAfter(m_impl->x509.get()));
}

bool Certificate::is_issued_by(const Certificate& other) const {
  return X509_NAME_cmp(X509_get_issuer_name(m_impl->x509.get()),
                       X509_get_subject_name(other.m_impl->x509.get())) == 0;
}

std::optional<PrivateKey> PrivateKey::parse(std::string_view der) {
  auto key = parse_all<Owned<EVP_PKEY, EVP_PKEY_free>>(
      der,
      [](const unsigned char** at, long size) { return d2i_AutoPrivateKey(nullptr, at, size); });
  if (!key) return std::nullopt;
  return PrivateKey(std::make_shared<const Impl>(Impl{std::move(key)}));
}

std::string PrivateKey::kind() const {
  EVP_PKEY* key = m_impl->key.get();
  const char* type = EVP_PKEY_get0_type_name(key);
  const std::string name = type == nullptr ? "unknown" : type;
  if (name == "RSA") return fmt::format("RSA {}", EVP_PKEY_get_bits(key));
  std::array<char, 64> group{};
  std::size_t length = 0;
  if (name == "EC" && EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1)
    return "EC " + shown({group.data(), length});
  return shown(name);
}

bool PrivateKey::belongs_to(const Certificate& certificate) const {
  const bool same = X509_check_private_key(certificate.m_impl->x509.get(), m_impl->key.get()) == 1;
  ERR_clear_error();
  return same;
}

bool is_encrypted_key(std::string_view der) {
  return parse_all<Owned<X509_SIG, X509_SIG_free>>(der, [](const unsigned char** at, long size) {
           return d2i_X509_SIG(nullptr, at, size);
         }) != nullptr;
}

bool is_public_key(std::string_view der) {
  return parse_all<Owned<EVP_PKEY, EVP_PKEY_free>>(der, [](const unsigned char** at, long size) {
           return d2i_PUBKEY(nullptr, at, size);
         }) != nullptr;
}

std::string ssh_fingerprint(std::string_view public_key) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  unsigned int size = 0;
  EVP_Digest(public_key.data(), public_key.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string text =
      support::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

}  // namespace berth::credentials
