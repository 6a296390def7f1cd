#pragma once

#include "executor/docker/engine/caller.hpp"
#include "executor/docker/engine/engine.hpp"

/// Internal to executor/docker/engine.
namespace berth::docker {

class Engine::Impl {
 public:
  Impl(EngineAddress address, std::unique_ptr<net::HttpClient> http, EngineOptions options)
      : caller(std::move(address), std::move(http), std::move(options)) {}

  Caller caller;
};

/// A name as it stands in messages.
inline std::string quoted(const std::string& name) {
  return "'" + name + "'";
}

/// An id or name as one segment of a path.
inline std::string segment(const std::string& name) {
  return net::percent_encode(name);
}

}  // namespace berth::docker
