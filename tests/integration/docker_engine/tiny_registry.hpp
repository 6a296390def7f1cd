#pragma once

#include "tests/support/http_server/http_server.hpp"

#include <atomic>
#include <string>

namespace berth::tests {

/// A registry with one image, for pulls by a real engine (distribution's API,
/// "Pulling an image"): plain HTTP with Basic authentication, like the insecure
/// registries engines know. The image is another one in every process.
class TinyRegistry {
 public:
  /// `address`: one of this machine's that the engine reaches and trusts.
  explicit TinyRegistry(const std::string& address);

  /// "10.89.0.1:4711"
  const std::string& host() const { return m_host; }
  std::string image(const std::string& tag = "1") const {
    return m_host + "/group/project/tiny:" + tag;
  }
  /// How often an engine asked for the image's manifest with the right password.
  unsigned manifests() const { return m_manifests; }
  /// The next answers about manifests are 503.
  void be_overloaded(int times) { m_overloaded = times; }

  static constexpr const char* k_user = "user";
  static constexpr const char* k_password = "pa:ss";

 private:
  ServerReply answer(const ServerRequest& request);
  ServerReply blob(const std::string& digest) const;

  HttpServer m_server;
  std::string m_host;
  std::string m_layer;
  std::string m_config;
  std::string m_manifest;
  std::atomic<unsigned> m_manifests = 0;
  std::atomic<int> m_overloaded = 0;
};

}  // namespace berth::tests
