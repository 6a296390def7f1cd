#pragma once

#include "tests/support/agent_peer.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace berth::tests {

/// Ends a connection after so many bytes of one direction have gone through.
struct Cut {
  enum class Direction { to_agent, to_driver };
  Direction direction = Direction::to_agent;
  std::size_t after = 0;
};

/// How a stage is taken up on the next connection.
enum class Resume {
  by_start,   ///< START again with the same id, which must start nothing
  by_attach,  ///< ATTACH at the first byte not seen, once STARTED has been
};

struct CutResult {
  StageResult stage;
  /// Connections it took.
  std::size_t connections = 0;
  /// Bytes of the last connection.
  std::size_t sent = 0;
  std::size_t received = 0;
};

/// Runs one stage as a driver that follows the protocol, its first connection cut
/// by the first of `cuts`, the next by the second, and so on; those after the last
/// are whole. The bytes up to a cut do reach the other end. Throws where the agent
/// breaks the protocol or repeats or omits a byte. `connect` makes a connection
/// to the agent: a descriptor to be closed here.
CutResult run_cut_session(const std::function<int()>& connect, const protocol::Start& start,
                          const std::vector<Cut>& cuts, Resume resume);

}  // namespace berth::tests
