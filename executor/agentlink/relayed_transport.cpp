#include "executor/agentlink/relayed_transport.hpp"

#include "executor/agentlink/socket_transport.hpp"
#include "executor/agentlink/waiter.hpp"
#include "executor/support/error.hpp"

#include <algorithm>
#include <array>
#include <sys/socket.h>
#include <utility>

namespace berth::agentlink {
namespace {

/// Longer than a relay takes to find out that it cannot reach its agent.
constexpr std::chrono::seconds k_patience{25};

bool speaks(int socket, Waiter::TimePoint deadline, const std::stop_token& stop) {
  const StopSignal stopping(stop);
  Waiter& waiter = system_waiter();
  const auto until = std::min(deadline, waiter.now() + k_patience);
  while (waiter.now() < until) {
    std::array<pollfd, 2> fds{pollfd{socket, POLLIN, 0}, pollfd{stopping.fd(), POLLIN, 0}};
    waiter.wait(fds, until);
    if (stopping.requested()) throw support::Cancelled();
    if (fds[0].revents == 0) continue;
    char first = 0;
    return ::recv(socket, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }
  return false;
}

}  // namespace

RelayedTransport::RelayedTransport(const std::filesystem::path& socket_dir,
                                   std::unique_ptr<Transport> otherwise)
    : m_socket(make_socket_transport(socket_dir)), m_otherwise(std::move(otherwise)) {}

std::unique_ptr<Stream> RelayedTransport::connect(std::chrono::steady_clock::time_point deadline,
                                                  std::stop_token stop) {
  m_relayed = false;
  try {
    auto stream = m_socket->connect(deadline, stop);
    if (speaks(stream->fd(), deadline, stop)) {
      m_relayed = true;
      return stream;
    }
  } catch (const ConnectError&) {  // the other way tells why
  }
  return m_otherwise->connect(deadline, std::move(stop));
}

}  // namespace berth::agentlink
