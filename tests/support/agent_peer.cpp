#include "tests/support/agent_peer.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace berth::tests {
namespace {

constexpr int k_limit_ms = 60'000;

void await(int fd, short events) {
  pollfd polled{fd, events, 0};
  int ready = 0;
  do {
    ready = ::poll(&polled, 1, k_limit_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) throw std::runtime_error("the agent says nothing");
}

}  // namespace

protocol::StageId next_stage_id() {
  static std::uint32_t count = 0;
  ++count;
  protocol::StageId id{};
  for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<std::uint8_t>(count >> (8 * i));
  id[15] = 0xbe;
  return id;
}

AgentPeer::AgentPeer(AgentPeer&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1)), m_decoder(std::move(other.m_decoder)) {}

AgentPeer::~AgentPeer() {
  close();
}

void AgentPeer::close() {
  if (m_fd >= 0) ::close(m_fd);
  m_fd = -1;
}

void AgentPeer::shutdown_write() {
  ::shutdown(m_fd, SHUT_WR);
}

void AgentPeer::send(const protocol::DriverMessage& message) {
  send_raw(protocol::encode(message));
}

void AgentPeer::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      await(m_fd, POLLOUT);
    } else if (errno != EINTR) {
      throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    }
  }
}

std::optional<protocol::AgentMessage> AgentPeer::next() {
  std::array<char, 65536> buffer{};
  for (;;) {
    if (auto message = m_decoder.next()) return message;
    await(m_fd, POLLIN);
    const ssize_t got = ::recv(m_fd, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      m_decoder.feed({buffer.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || errno == ECONNRESET) {
      return std::nullopt;
    } else if (errno != EINTR) {
      throw std::runtime_error(std::string("recv: ") + std::strerror(errno));
    }
  }
}

std::vector<protocol::AgentMessage> AgentPeer::drain() {
  std::vector<protocol::AgentMessage> messages;
  while (auto message = next()) messages.push_back(std::move(*message));
  return messages;
}

StageResult AgentPeer::run(const protocol::Start& start) {
  send(start);
  return follow();
}

StageResult AgentPeer::run(const std::string& script) {
  protocol::Start start;
  start.id = next_stage_id();
  start.umask = protocol::k_keep_umask;
  start.script = script;
  return run(start);
}

StageResult AgentPeer::follow() {
  std::uint64_t offset = expect<protocol::Started>().offset;
  StageResult result;
  for (;;) {
    std::optional<protocol::AgentMessage> message = next();
    if (!message) throw std::runtime_error("the agent closed the connection");
    if (auto* output = std::get_if<protocol::Output>(&*message)) {
      if (output->offset != offset) throw std::runtime_error("a gap in the output");
      offset += output->bytes.size();
      result.output += output->bytes;
      send(protocol::Ack{offset});
    } else if (auto* exit = std::get_if<protocol::Exit>(&*message)) {
      if (exit->length != offset) throw std::runtime_error("EXIT before the end of the output");
      result.exit = *exit;
      return result;
    } else if (std::holds_alternative<protocol::Ping>(*message)) {
      send(protocol::Pong{});
    } else {
      refuse_message(*message);
    }
  }
}

StageResult AgentPeer::read_to_exit() {
  StageResult result;
  for (;;) {
    std::optional<protocol::AgentMessage> message = next();
    if (!message) throw std::runtime_error("the agent closed the connection");
    if (const auto* output = std::get_if<protocol::Output>(&*message)) {
      result.output += output->bytes;
    } else if (const auto* exit = std::get_if<protocol::Exit>(&*message)) {
      result.exit = *exit;
      return result;
    } else if (!std::holds_alternative<protocol::Ping>(*message)) {
      refuse_message(*message);
    }
  }
}

std::string AgentPeer::read_until(std::string_view marker) {
  std::string text;
  while (text.find(marker) == std::string::npos) text += expect<protocol::Output>().bytes;
  return text;
}

void AgentPeer::refuse_message(const protocol::AgentMessage& message) {
  std::string text = "the agent sent a message of kind " + std::to_string(message.index());
  if (const auto* refused = std::get_if<protocol::Refused>(&message)) text += ": " + refused->text;
  throw std::runtime_error(text);
}

}  // namespace berth::tests
