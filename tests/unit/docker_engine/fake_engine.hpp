#pragma once

#include "executor/docker/engine/engine.hpp"
#include "tests/support/http_server/http_server.hpp"

/// An HTTP server that answers /_ping as an engine does, and an Engine for it
/// that repeats without waiting long.
namespace berth::tests {

struct Bench {
  HttpServer server;
  docker::Engine engine;

  explicit Bench(const std::string& api = "1.41")
      : engine(
            docker::resolve_address({.host = server.host()}, [](const std::string&) { return ""; }),
            options()) {
    server.on("GET", "/_ping", {{.headers = {{"Api-Version", api}}, .body = "OK"}});
  }

  static docker::EngineOptions options() {
    docker::EngineOptions options;
    options.patience = std::chrono::seconds(5);
    options.first_patience = std::chrono::milliseconds(200);
    options.backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(5)};
    return options;
  }
};

}  // namespace berth::tests
