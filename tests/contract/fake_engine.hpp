#pragma once

#include "tests/contract/fake_images.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace berth::tests {

/// A Docker engine's API on a unix socket, in this process. Images are names;
/// a started container whose command is berth-agent is a real agent process on
/// this host, with the container's mounts taken from the create request, so the
/// four programs run whole jobs against it. No network, no isolation.
///
/// Thread-safe. The destructor ends every process it started.
class FakeEngine {
 public:
  using Image = FakeImage;

  struct Options {
    std::filesystem::path agent;
    std::map<std::string, Image> images;
    std::string api_version = "1.41";
    /// False: bind mounts are refused as on an engine that is another machine.
    bool local = true;
  };

  /// What to do with a request before it is served. Empty: serve it.
  enum class Fault { none, drop, error_500, hang };

  struct Request {
    std::string method;
    std::string path;  ///< without the version prefix, with the query
    std::string body;
  };

  FakeEngine(std::filesystem::path socket, Options options);
  ~FakeEngine();
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  /// "unix:///..."
  std::string host() const;

  /// Called for every request on its connection's thread; may block.
  void set_fault(std::function<Fault(const Request&)> fault);

  std::vector<Request> requests() const;
  /// Names of what exists now.
  std::vector<std::string> containers() const;
  std::vector<std::string> networks() const;
  std::vector<std::string> volumes() const;
  /// Body of the create request of the container whose name ends so.
  std::string create_body(const std::string& name_suffix) const;
  /// Ends a container's processes as the kernel would, by name suffix.
  void kill_container(const std::string& name_suffix, bool out_of_memory = false);

 private:
  class Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace berth::tests
