#include "executor/dind/certificates.hpp"

#include "executor/support/error.hpp"
#include "executor/support/freed_by.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <array>
#include <memory>
#include <netinet/in.h>

namespace berth::dind {
namespace {

using support::FreedBy;

using Bio = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreedBy<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreedBy<X509_EXTENSION_free>>;

constexpr long k_earlier_s = 3600;
constexpr long k_valid_s = 100L * 24 * 3600;

[[noreturn]] void fail(const char* what) {
  std::array<char, 200> words{};
  ERR_error_string_n(ERR_get_error(), words.data(), words.size());
  ERR_clear_error();
  throw support::SystemError(
      fmt::format("cannot make the Docker daemon's certificates: {}: {}", what, words.data()));
}

void require(bool done, const char* what) {
  if (!done) fail(what);
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem(X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  require(out && PEM_write_bio_X509(out.get(), certificate) == 1, "write certificate");
  return text_of(out.get());
}

support::Secret pem(EVP_PKEY* key) {
  const Bio out(BIO_new(BIO_s_secmem()));
  require(out && PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr),
          "write key");
  return support::Secret(text_of(out.get()));
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "add extension");
}

struct Signed {
  Key key;
  Certificate certificate;
};

/// What every certificate has; its extensions and its signature are still to come.
Signed unsigned_pair(const char* name) {
  Signed made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  require(made.key && made.certificate, "make key");
  X509* x509 = made.certificate.get();
  std::uint64_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "random");
  // Positive and not zero.
  serial = (serial >> 1U) | 1U;
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), -k_earlier_s);
  X509_gmtime_adj(X509_getm_notAfter(x509), k_valid_s);
  X509_NAME* subject = X509_get_subject_name(x509);
  require(
      X509_set_pubkey(x509, made.key.get()) == 1 &&
          X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(name), -1, -1, 0) == 1,
      "name certificate");
  return made;
}

void sign(Signed& made, const Signed& issuer) {
  X509* x509 = made.certificate.get();
  require(X509_set_issuer_name(x509, X509_get_subject_name(issuer.certificate.get())) == 1 &&
              X509_sign(x509, issuer.key.get(), EVP_sha256()) > 0,
          "sign");
}

Signed make_authority() {
  Signed made = unsigned_pair("Berth job CA");
  X509* x509 = made.certificate.get();
  extend(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(x509, x509, NID_key_usage, "critical,keyCertSign");
  extend(x509, x509, NID_subject_key_identifier, "hash");
  sign(made, made);
  return made;
}

KeyPair make_pair(const Signed& authority, const char* name, const char* usage,
                  const std::string& alternative_names) {
  Signed made = unsigned_pair(name);
  X509* x509 = made.certificate.get();
  X509* issuer = authority.certificate.get();
  extend(x509, issuer, NID_basic_constraints, "critical,CA:FALSE");
  extend(x509, issuer, NID_key_usage, "critical,digitalSignature");
  extend(x509, issuer, NID_ext_key_usage, usage);
  extend(x509, issuer, NID_authority_key_identifier, "keyid");
  if (!alternative_names.empty()) {
    extend(x509, issuer, NID_subject_alt_name, alternative_names);
  }
  sign(made, authority);
  return {.certificate = pem(x509), .key = pem(made.key.get())};
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

/// OpenSSL's notation; a name with other characters than a host's has no place in it.
std::string alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (name.empty() || name.find_first_of(",;: \n") != std::string::npos) {
      if (!is_address(name)) continue;
    }
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", is_address(name) ? "IP" : "DNS", name);
  }
  return text;
}

}  // namespace

Certificates make_certificates(const std::vector<std::string>& names) {
  const Signed authority = make_authority();
  return {
      .authority = pem(authority.certificate.get()),
      .server = make_pair(authority, "Berth job server", "serverAuth", alternative_names(names)),
      .client = make_pair(authority, "Berth job client", "clientAuth", {})};
}

std::vector<CertificateFile> certificate_files(const Certificates& certificates) {
  const auto plain = [](std::string path, const std::string& content) {
    return CertificateFile{.path = std::move(path), .content = support::Secret(content)};
  };
  return {plain("server/ca.pem", certificates.authority),
          plain("server/cert.pem", certificates.server.certificate),
          {.path = "server/key.pem", .content = certificates.server.key, .is_key = true},
          plain("client/ca.pem", certificates.authority),
          plain("client/cert.pem", certificates.client.certificate),
          {.path = "client/key.pem", .content = certificates.client.key, .is_key = true}};
}

}  // namespace berth::dind
