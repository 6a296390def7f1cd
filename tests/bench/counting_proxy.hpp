#pragma once

#include "executor/kubernetes/api/connection.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace berth::bench {

/// An nginx before an API server, as this connection's user, that writes down
/// what is asked. Owns the process and its files.
class CountingProxy {
 public:
  struct Call {
    /// Seconds since the epoch.
    double began = 0;
    /// One number for each TLS connection; `resumed`: with a session of before.
    long connection = 0;
    bool resumed = false;
    std::string method{};
    std::string target{};
  };

  /// Returns when the server answers through it. Throws std::runtime_error.
  CountingProxy(const kubernetes::Connection& server, const std::filesystem::path& folder);
  ~CountingProxy();
  CountingProxy(const CountingProxy&) = delete;
  CountingProxy& operator=(const CountingProxy&) = delete;

  /// With it one reaches the server through the proxy, as its user.
  const std::filesystem::path& kubeconfig() const { return m_kubeconfig; }
  /// All calls that are over, watches and execs too.
  std::vector<Call> calls() const;
  /// How many lines calls() has.
  std::size_t count() const { return calls().size(); }

 private:
  std::filesystem::path m_folder;
  std::filesystem::path m_kubeconfig;
  /// Of its own first look at the server.
  std::size_t m_before = 0;
  std::jthread m_nginx;
};

}  // namespace berth::bench
