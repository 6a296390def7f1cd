// Docker's client configuration, as jobs hand it over in DOCKER_AUTH_CONFIG, and
// the answers of credential helpers.

#include "executor/credentials/docker_config.hpp"

#include "executor/support/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace berth;

namespace {

template <typename Parse>
void attempt(Parse parse) {
  try {
    parse();
  } catch (const support::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  attempt([&] {
    for (const auto& auth : credentials::parse_docker_config(text, "input").auths) {
      // A path is its own path.
      const std::string path = credentials::registry_path(auth.server);
      if (path.find("://") == std::string::npos && path.size() > auth.server.size() + 16)
        std::abort();
    }
  });
  attempt([&] { credentials::parse_helper_reply(text, "r", "input"); });
  attempt([&] { credentials::parse_helper_list(text, "input"); });
  const std::string image = credentials::image_path(text);
  if (image.find('@') != std::string::npos) std::abort();
  return 0;
}
