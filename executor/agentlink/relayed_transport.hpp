#pragma once

#include "executor/agentlink/transport.hpp"

#include <filesystem>
#include <memory>

namespace berth::agentlink {

/// The agent through a relay's socket (tunnel_relay.hpp) in `socket_dir`; where the
/// relay does not bring the agent's first byte, `otherwise`, whose errors are the
/// ones that are thrown.
class RelayedTransport final : public Transport {
 public:
  RelayedTransport(const std::filesystem::path& socket_dir, std::unique_ptr<Transport> otherwise);

  std::unique_ptr<Stream> connect(std::chrono::steady_clock::time_point deadline,
                                  std::stop_token stop) override;
  std::string describe() const override { return m_otherwise->describe(); }

  /// The last connection that was made goes through the relay.
  bool relayed() const noexcept { return m_relayed; }

 private:
  std::unique_ptr<Transport> m_socket;
  std::unique_ptr<Transport> m_otherwise;
  bool m_relayed = false;
};

}  // namespace berth::agentlink
