#include "tests/integration/docker_engine/tiny_registry.hpp"

#include "executor/docker/engine/tar.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/files.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <array>

namespace berth::tests {
namespace {

using nlohmann::json;

constexpr const char* k_manifest_type = "application/vnd.docker.distribution.manifest.v2+json";

std::string digest_of(const std::string& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  std::string text = "sha256:";
  for (unsigned i = 0; i < length; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

json descriptor(const char* type, const std::string& bytes) {
  return {{"mediaType", type}, {"size", bytes.size()}, {"digest", digest_of(bytes)}};
}

}  // namespace

TinyRegistry::TinyRegistry(const std::string& address)
    : m_server({.address = address}), m_host(m_server.host().substr(std::string("tcp://").size())) {
  docker::TarWriter tar;
  tar.add({.name = "file", .content = support::random_hex(16)});
  m_layer = tar.finish();
  m_config = json{{"architecture", "amd64"},
                  {"os", "linux"},
                  {"config", {{"Cmd", {"/file"}}}},
                  {"rootfs", {{"type", "layers"}, {"diff_ids", {digest_of(m_layer)}}}}}
                 .dump();
  m_manifest =
      json{{"schemaVersion", 2},
           {"mediaType", k_manifest_type},
           {"config", descriptor("application/vnd.docker.container.image.v1+json", m_config)},
           {"layers", {descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", m_layer)}}}
          .dump();
  for (const char* method : {"GET", "HEAD"})
    m_server.on(method, "/v2/*", [this](const ServerRequest& request) { return answer(request); });
}

ServerReply TinyRegistry::answer(const ServerRequest& request) {
  const std::string wanted =
      "Basic " + support::base64_encode(std::string(k_user) + ":" + k_password);
  if (request.header("Authorization") != wanted) {
    return {.status = 401,
            .headers = {{"Www-Authenticate", "Basic realm=\"tiny\""},
                        {"Content-Type", "application/json"}},
            .body = R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})"};
  }
  const std::string path = "/v2/group/project/tiny/";
  if (request.target == "/v2/") return {.body = "{}"};
  if (request.target.starts_with(path + "blobs/"))
    return blob(request.target.substr(path.size() + std::string("blobs/").size()));
  if (request.target.starts_with(path + "manifests/")) {
    ++m_manifests;
    if (m_overloaded > 0) {
      --m_overloaded;
      return {.status = 503};
    }
    const std::string reference =
        request.target.substr(path.size() + std::string("manifests/").size());
    if (reference == "1" || reference == digest_of(m_manifest)) {
      return {.headers = {{"Content-Type", k_manifest_type},
                          {"Docker-Content-Digest", digest_of(m_manifest)}},
              .body = m_manifest};
    }
  }
  return {.status = 404,
          .headers = {{"Content-Type", "application/json"}},
          .body = R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]})"};
}

ServerReply TinyRegistry::blob(const std::string& digest) const {
  for (const std::string& bytes : {m_layer, m_config}) {
    if (digest == digest_of(bytes))
      return {.headers = {{"Content-Type", "application/octet-stream"},
                          {"Docker-Content-Digest", digest}},
              .body = bytes};
  }
  return {.status = 404};
}

}  // namespace berth::tests
