#include "tests/support/http_server/certificates.hpp"

#include "executor/support/freed_by.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace berth::tests {
namespace {

using support::FreedBy;
using Key = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, FreedBy<X509_free>>;
using Bio = std::unique_ptr<BIO, FreedBy<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreedBy<X509_EXTENSION_free>>;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("certificates: ") + what);
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Bio reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  require(extension != nullptr, "extension");
  require(X509_add_ext(certificate, extension.get(), -1) == 1, "add extension");
}

struct Wish {
  std::string name;
  bool authority = false;
  std::string alternative_names;
  std::string usage;
};

Certificate make(const Wish& wish, const Certificate* signer) {
  const Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "key");
  const X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  static long serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  X509Ptr issuer;
  Key signing_key;
  if (signer != nullptr) {
    issuer.reset(
        PEM_read_bio_X509(reader(signer->certificate_pem).get(), nullptr, nullptr, nullptr));
    signing_key.reset(
        PEM_read_bio_PrivateKey(reader(signer->key_pem).get(), nullptr, nullptr, nullptr));
  }
  X509* issued_by = issuer ? issuer.get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issued_by));
  add_extension(certificate.get(), issued_by, NID_basic_constraints,
                wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!wish.alternative_names.empty())
    add_extension(certificate.get(), issued_by, NID_subject_alt_name,
                  wish.alternative_names.c_str());
  if (!wish.usage.empty())
    add_extension(certificate.get(), issued_by, NID_ext_key_usage, wish.usage.c_str());
  require(
      X509_sign(certificate.get(), signing_key ? signing_key.get() : key.get(), EVP_sha256()) > 0,
      "sign");
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  const Bio key_text(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_text.get(), certificate.get());
  PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {text_of(certificate_text), text_of(key_text)};
}

}  // namespace

Authority::Authority(const std::string& name)
    : m_ca(make({.name = name, .authority = true, .alternative_names = {}, .usage = {}}, nullptr)) {
}

Certificate Authority::server(const std::string& names) const {
  return make(
      {.name = "server", .authority = false, .alternative_names = names, .usage = "serverAuth"},
      &m_ca);
}

Certificate Authority::client(const std::string& name) const {
  return make({.name = name, .authority = false, .alternative_names = {}, .usage = "clientAuth"},
              &m_ca);
}

}  // namespace berth::tests
