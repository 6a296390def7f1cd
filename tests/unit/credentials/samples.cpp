#include "tests/unit/credentials/samples.hpp"

#include "executor/support/base64.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <zlib.h>

namespace berth::credentials::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using support::base64_encode;
using support::base64url_encode;

template <typename Write>
std::string pem_of(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new(BIO_s_mem()), BIO_free_all);
  if (write(out.get()) != 1) throw std::runtime_error("OpenSSL cannot write PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string key_pem(EVP_PKEY* key) {
  return pem_of([key](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

/// The second line of a PEM text: only key material.
std::string body_line(const std::string& pem) {
  const std::size_t start = pem.find('\n') + 1;
  return pem.substr(start, pem.find('\n', start) - start);
}

void put(std::string& bytes, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 255U);
  bytes += text;
}

/// openssh-portable, PROTOCOL.key: one Ed25519 key, no passphrase.
std::string openssh_pem() {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  std::array<unsigned char, 32> raw_public{};
  std::array<unsigned char, 32> raw_private{};
  std::size_t size = raw_public.size();
  EVP_PKEY_get_raw_public_key(key.get(), raw_public.data(), &size);
  EVP_PKEY_get_raw_private_key(key.get(), raw_private.data(), &size);
  const std::string open(raw_public.begin(), raw_public.end());
  const std::string hidden(raw_private.begin(), raw_private.end());
  std::string public_part;
  put(public_part, "ssh-ed25519");
  put(public_part, open);
  std::string private_part("\1\2\3\4\1\2\3\4", 8);
  put(private_part, "ssh-ed25519");
  put(private_part, open);
  put(private_part, hidden + open);
  put(private_part, "deploy@example.com");
  for (char pad = 1; private_part.size() % 8 != 0; ++pad) private_part += pad;
  std::string all("openssh-key-v1\0", 15);
  put(all, "none");
  put(all, "none");
  put(all, "");
  all += std::string("\0\0\0\1", 4);
  put(all, public_part);
  put(all, private_part);
  return fmt::format("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
                     wrapped(base64_encode(all), 70));
}

Sample service_account() {
  const Key key(EVP_RSA_gen(2048), EVP_PKEY_free);
  const std::string pem = key_pem(key.get());
  const nlohmann::json json{{"type", "service_account"},
                            {"project_id", "shop-prod"},
                            {"private_key_id", "0f9e8d7c6b5a49382716051f2e3d4c5b6a791a2b"},
                            {"private_key", pem},
                            {"client_email", "deployer@shop-prod.iam.gserviceaccount.com"},
                            {"client_id", "104857600000000000000"},
                            {"token_uri", "https://oauth2.googleapis.com/token"}};
  return {.name = "service account",
          .type = Type::google_service_account,
          .text = json.dump(2) + "\n",
          .secrets = {body_line(pem)}};
}

Sample external_account() {
  return {.name = "external account",
          .type = Type::google_external_account,
          .text = R"({"type": "external_account",
 "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/gl",
 "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
 "token_url": "https://sts.googleapis.com/v1/token",
 "client_secret": "Qm7canaryXtrn91Lk",
 "credential_source": {"file": "/run/token"}}
)",
          .secrets = {"Qm7canaryXtrn91Lk"}};
}

Sample authorized_user() {
  return {.name = "authorized user",
          .type = Type::google_authorized_user,
          .text = R"({"type":"authorized_user","client_id":"7.apps.example.com",
"client_secret":"Zq8canaryUsr17Mm","refresh_token":"1//0canaryRfsh5TtXq"}
)",
          .secrets = {"Zq8canaryUsr17Mm", "1//0canaryRfsh5TtXq"}};
}

Sample docker() {
  const std::string pair = base64_encode("deployer:Wx3canaryDock55Rr");
  const nlohmann::json json{
      {"auths",
       {{"https://registry.example.com/v1/", {{"auth", pair}}},
        {"registry.example.com", {{"username", "deployer"}, {"password", "Hj6canaryOther8Vb"}}},
        {"hub.example.com", {{"identitytoken", "Ty2canaryIdent44Np"}}}}},
      {"credHelpers", {{"gcr.io", "gcloud"}}}};
  return {.name = "docker config",
          .type = Type::docker_config,
          .text = json.dump(4) + "\n",
          .secrets = {pair, "Wx3canaryDock55Rr", "Hj6canaryOther8Vb", "Ty2canaryIdent44Np"}};
}

Sample docker_old() {
  const std::string pair = base64_encode("deployer:Bv9canaryOld03Ks");
  return {
      .name = "dockercfg",
      .type = Type::docker_config,
      .text =
          nlohmann::json{{"https://r.example.com", {{"auth", pair}, {"email", ""}}}}.dump() + "\n",
      .secrets = {pair, "Bv9canaryOld03Ks"}};
}

Sample jwt() {
  const std::string token =
      base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." +
      base64url_encode(
          R"({"sub":"project_path:shop","iss":"https://gitlab.example.com","exp":1790000000})") +
      "." + base64url_encode("canarySignature0123456789abcdefgh");
  std::string text;
  std::ranges::remove_copy(token, std::back_inserter(text), '=');
  return {.name = "jwt", .type = Type::jwt, .text = text + "\n", .secrets = {text}};
}

std::vector<Sample> make_samples() {
  const Identity user = make_identity("deployer");
  const Identity ca = make_identity("cluster-ca");
  const Identity web = make_identity("www.example.com");
  const std::string ssh = openssh_pem();
  const std::string config = kubeconfig_text(user, ca.certificate, "");
  const std::string with_token = kubeconfig_text({}, ca.certificate, "Gd4canaryToken77QzLp");
  return {
      {.name = "kubeconfig",
       .type = Type::kubeconfig,
       .text = config,
       .secrets = {body_line(user.key), base64_encode(user.key)}},
      {.name = "kubeconfig with a token",
       .type = Type::kubeconfig,
       .text = with_token,
       .secrets = {"Gd4canaryToken77QzLp"},
       .cut_shows = false},
      service_account(),
      external_account(),
      authorized_user(),
      docker(),
      docker_old(),
      {.name = "private key",
       .type = Type::private_key,
       .text = web.key,
       .secrets = {body_line(web.key)}},
      {.name = "key and certificate",
       .type = Type::private_key,
       .text = web.certificate + web.key,
       .secrets = {body_line(web.key)}},
      {.name = "certificates",
       .type = Type::certificates,
       .text = web.certificate + ca.certificate},
      {.name = "ssh key", .type = Type::ssh_key, .text = ssh, .secrets = {body_line(ssh)}},
      {.name = "aws",
       .type = Type::aws_credentials,
       .text = "[default]\naws_access_key_id = AKIAEXAMPLEEXAMPLE7Q\n"
               "aws_secret_access_key = canary/Secret+Key0123456789abcdefghijklm\n",
       .secrets = {"canary/Secret+Key0123456789abcdefghijklm"}},
      {.name = "netrc",
       .type = Type::netrc,
       .text = "machine git.example.com\n  login deployer\n  password Lp5canaryNetrc66Dw\n",
       .secrets = {"Lp5canaryNetrc66Dw"},
       .cut_shows = false},
      {.name = "npmrc",
       .type = Type::npmrc,
       .text = "//npm.example.com/:_authToken=npm_canaryToken0123456789abcdefgh\n",
       .secrets = {"npm_canaryToken0123456789abcdefgh"},
       .cut_shows = false},
      jwt(),
  };
}

}  // namespace

Identity make_identity(const std::string& common_name, int days) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), X509_free);
  constexpr long k_day = 24 * 60 * 60;
  const std::time_t today = k_today.time_since_epoch().count();
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
  ASN1_TIME_set(X509_getm_notBefore(x509.get()), today - 1000 * k_day);
  ASN1_TIME_set(X509_getm_notAfter(x509.get()), today + days * k_day);
  X509_set_pubkey(x509.get(), key.get());
  X509_NAME* name = X509_get_subject_name(x509.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(x509.get(), name);
  if (X509_sign(x509.get(), key.get(), EVP_sha256()) == 0)
    throw std::runtime_error("OpenSSL cannot sign");
  return {.key = key_pem(key.get()),
          .certificate = pem_of([&](BIO* out) { return PEM_write_bio_X509(out, x509.get()); })};
}

std::string kubeconfig_text(const Identity& user, const std::string& ca, const std::string& token) {
  std::string text = fmt::format(
      "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {}\n"
      "    server: https://k8s.example.com:6443\n  name: main\n"
      "contexts:\n- context:\n    cluster: main\n    user: deployer\n  name: prod\n"
      "current-context: prod\nkind: Config\npreferences: {{}}\nusers:\n- name: deployer\n  user:\n",
      base64_encode(ca));
  if (!user.key.empty())
    text += fmt::format("    client-certificate-data: {}\n    client-key-data: {}\n",
                        base64_encode(user.certificate), base64_encode(user.key));
  if (!token.empty()) text += fmt::format("    token: {}\n", token);
  return text;
}

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = make_samples();
  return all;
}

const Sample& sample(std::string_view name) {
  const auto found = std::ranges::find(samples(), name, &Sample::name);
  if (found == samples().end()) throw std::logic_error("no such sample");
  return *found;
}

std::string wrapped(std::string_view text, std::size_t columns, std::string_view line_end) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); at += columns) {
    if (at > 0) result += line_end;
    result += text.substr(at, columns);
  }
  return result;
}

std::string gzipped(std::string_view bytes) {
  z_stream stream{};
  constexpr int k_gzip = 16 + MAX_WBITS;
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, k_gzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib cannot start");
  std::string result(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int code = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) throw std::runtime_error("zlib cannot pack");
  return result;
}

std::string hex(std::string_view bytes) {
  std::string result;
  for (const char c : bytes) result += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return result;
}

}  // namespace berth::credentials::test
