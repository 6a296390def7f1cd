#include "executor/docker/connect.hpp"

#include <cstdlib>

namespace berth::docker {

EngineAddress engine_address(const BackendOptions& options) {
  const ConnectionSettings connection{.host = options.settings.host,
                                      .tls_cert_path = options.settings.tls_cert_path,
                                      .tls_verify = options.settings.tls_verify};
  return resolve_address(connection, [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  });
}

EngineOptions engine_options(const BackendOptions& options) {
  EngineOptions engine;
  if (!options.trace_file.empty()) engine.on_call = net::trace_to_file(options.trace_file);
  return engine;
}

}  // namespace berth::docker
