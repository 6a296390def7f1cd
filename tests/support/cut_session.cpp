#include "tests/support/cut_session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace berth::tests {
namespace {

constexpr std::size_t k_whole = ~std::size_t{0};

/// One connection of the driver, with its budget of bytes in each direction.
class CutConnection {
 public:
  CutConnection(int fd, const std::optional<Cut>& cut) : m_fd(fd) {
    if (!cut) return;
    (cut->direction == Cut::Direction::to_agent ? m_may_send : m_may_receive) = cut->after;
  }
  CutConnection(const CutConnection&) = delete;
  CutConnection& operator=(const CutConnection&) = delete;
  ~CutConnection() { ::close(m_fd); }

  /// False: it is cut. What fits the budget has been sent.
  bool send(const protocol::DriverMessage& message) {
    const std::string frame = protocol::encode(message);
    std::string_view bytes =
        std::string_view(frame).substr(0, m_may_send - std::min(m_may_send, sent));
    const bool all = bytes.size() == frame.size();
    while (!bytes.empty()) {
      const ssize_t count = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      sent += static_cast<std::size_t>(count);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return all;
  }

  /// Nothing: it is cut, or the agent has closed it.
  std::optional<protocol::AgentMessage> next() {
    std::array<char, 65536> buffer{};
    for (;;) {
      if (auto message = m_decoder.next()) return message;
      const std::size_t most = std::min(buffer.size(), m_may_receive - received);
      if (most == 0) return std::nullopt;
      pollfd polled{m_fd, POLLIN, 0};
      if (::poll(&polled, 1, 60'000) == 0) throw std::runtime_error("the agent says nothing");
      const ssize_t count = ::recv(m_fd, buffer.data(), most, 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return std::nullopt;
      received += static_cast<std::size_t>(count);
      m_decoder.feed({buffer.data(), static_cast<std::size_t>(count)});
    }
  }

  std::size_t sent = 0;
  std::size_t received = 0;

 private:
  int m_fd;
  std::size_t m_may_send = k_whole;
  std::size_t m_may_receive = k_whole;
  protocol::AgentDecoder m_decoder{protocol::k_max_agent_payload};
};

/// What a driver knows from one connection to the next.
struct Driver {
  const protocol::Start& start;
  Resume resume;
  bool started = false;
  StageResult stage;

  protocol::DriverMessage opening() const {
    if (started && resume == Resume::by_attach) {
      return protocol::Attach{.id = start.id, .offset = stage.output.size()};
    }
    return start;
  }

  /// Takes in output, of which the beginning may have been seen before.
  void take(const protocol::Output& output, std::uint64_t& offset) {
    if (output.offset != offset) throw std::runtime_error("OUTPUT frames are not contiguous");
    const std::uint64_t known = stage.output.size();
    if (offset > known)
      throw std::runtime_error("the agent forgot bytes that were not acknowledged");
    const auto seen =
        static_cast<std::size_t>(std::min<std::uint64_t>(known - offset, output.bytes.size()));
    if (stage.output.compare(static_cast<std::size_t>(offset), seen, output.bytes, 0, seen) != 0) {
      throw std::runtime_error("the agent sent other bytes the second time");
    }
    stage.output.append(output.bytes, seen);
    offset += output.bytes.size();
  }

  /// Follows the stage on one connection. True: it has ended.
  bool follow(CutConnection& connection) {
    const auto hello = connection.next();
    if (!hello) return false;
    if (!std::holds_alternative<protocol::Hello>(*hello)) throw std::runtime_error("no HELLO");
    if (!connection.send(opening())) return false;
    std::optional<std::uint64_t> offset;
    while (auto message = connection.next()) {
      if (const auto* answer = std::get_if<protocol::Started>(&*message)) {
        started = true;
        offset = answer->offset;
      } else if (const auto* output = std::get_if<protocol::Output>(&*message); output && offset) {
        take(*output, *offset);
        if (!connection.send(protocol::Ack{*offset})) return false;
      } else if (const auto* exit = std::get_if<protocol::Exit>(&*message); exit && offset) {
        if (exit->length != stage.output.size()) throw std::runtime_error("EXIT came too early");
        stage.exit = *exit;
        return true;
      } else if (!std::holds_alternative<protocol::Ping>(*message)) {
        throw std::runtime_error("message " + std::to_string(message->index()) +
                                 " is out of place");
      }
    }
    return false;
  }
};

}  // namespace

CutResult run_cut_session(const std::function<int()>& connect, const protocol::Start& start,
                          const std::vector<Cut>& cuts, Resume resume) {
  Driver driver{.start = start, .resume = resume, .started = false, .stage = {}};
  CutResult result;
  for (bool ended = false; !ended;) {
    const std::size_t index = result.connections++;
    if (index > cuts.size())
      throw std::runtime_error("the agent closed a connection that was not cut");
    CutConnection connection(connect(),
                             index < cuts.size() ? std::optional<Cut>(cuts[index]) : std::nullopt);
    ended = driver.follow(connection);
    result.sent = connection.sent;
    result.received = connection.received;
  }
  result.stage = std::move(driver.stage);
  return result;
}

}  // namespace berth::tests
