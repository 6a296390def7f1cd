#include "executor/dind/certificates.hpp"
#include "tests/support/catch.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

using namespace berth;

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio bio(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all};
}

X509Ptr certificate(const std::string& pem) {
  return {PEM_read_bio_X509(bio(pem).get(), nullptr, nullptr, nullptr), &X509_free};
}

KeyPtr key(const support::Secret& pem) {
  return {PEM_read_bio_PrivateKey(bio(pem.expose()).get(), nullptr, nullptr, nullptr),
          &EVP_PKEY_free};
}

/// X509_V_OK, or why not.
int verdict(const std::string& authority, const std::string& leaf, int purpose) {
  const X509Ptr root = certificate(authority);
  const X509Ptr end = certificate(leaf);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, root.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, end.get(), nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_verify_cert(context);
  const int result = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return result;
}

}  // namespace

TEST_CASE("dind certificates: each for its side, signed by one authority") {
  const auto made = dind::make_certificates({"docker", "localhost", "127.0.0.1", "::1"});
  CHECK(verdict(made.authority, made.server.certificate, X509_PURPOSE_SSL_SERVER) == X509_V_OK);
  CHECK(verdict(made.authority, made.client.certificate, X509_PURPOSE_SSL_CLIENT) == X509_V_OK);
  CHECK(verdict(made.authority, made.server.certificate, X509_PURPOSE_SSL_CLIENT) ==
        X509_V_ERR_INVALID_PURPOSE);
  CHECK(verdict(made.authority, made.client.certificate, X509_PURPOSE_SSL_SERVER) ==
        X509_V_ERR_INVALID_PURPOSE);
  CHECK(X509_check_private_key(certificate(made.server.certificate).get(),
                               key(made.server.key).get()) == 1);
  CHECK(X509_check_private_key(certificate(made.client.certificate).get(),
                               key(made.client.key).get()) == 1);
  // Another job's.
  const auto other = dind::make_certificates({"docker"});
  CHECK(verdict(other.authority, made.client.certificate, X509_PURPOSE_SSL_CLIENT) != X509_V_OK);
  CHECK(other.authority != made.authority);
}

TEST_CASE("dind certificates: the names and addresses a client may use") {
  const auto made = dind::make_certificates({"docker", "my_db-1.x", "10.1.2.3", "::1", "b,d", ""});
  const X509Ptr server = certificate(made.server.certificate);
  CHECK(X509_check_host(server.get(), "docker", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(server.get(), "my_db-1.x", 0, 0, nullptr) == 1);
  CHECK(X509_check_ip_asc(server.get(), "10.1.2.3", 0) == 1);
  CHECK(X509_check_ip_asc(server.get(), "::1", 0) == 1);
  CHECK(X509_check_host(server.get(), "elsewhere", 0, 0, nullptr) == 0);
}

TEST_CASE("dind certificates: files, without the authority's key") {
  const auto files = dind::certificate_files(dind::make_certificates({"docker"}));
  std::vector<std::string> paths;
  for (const auto& file : files) {
    paths.push_back(file.path);
    CHECK(file.is_key == file.path.ends_with("key.pem"));
    CHECK((file.content.expose().find("PRIVATE KEY") != std::string_view::npos) == file.is_key);
  }
  CHECK(paths == std::vector<std::string>{"server/ca.pem", "server/cert.pem", "server/key.pem",
                                          "client/ca.pem", "client/cert.pem", "client/key.pem"});
}
