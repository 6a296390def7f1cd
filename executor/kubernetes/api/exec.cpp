#include "executor/kubernetes/api/exec.hpp"

#include "executor/agentlink/waiter.hpp"
#include "executor/kubernetes/api/caller.hpp"
#include "executor/kubernetes/api/exec_channels.hpp"
#include "executor/kubernetes/api/failures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace berth::kubernetes {
namespace {

using std::chrono::steady_clock;

constexpr const char* k_v5 = "v5.channel.k8s.io";
constexpr const char* k_v4 = "v4.channel.k8s.io";
constexpr std::size_t k_max_errors = 4096;
/// The API server takes messages of 32 KiB and more apart anyway.
constexpr std::size_t k_max_message = std::size_t{32} << 10;
/// What is idle for longer is cut by some load balancers after a minute.
constexpr std::chrono::seconds k_ping_every{20};

class Stream final : public ExecStream {
 public:
  explicit Stream(std::unique_ptr<net::WebSocket> socket) : m_socket(std::move(socket)) {}

  int fd() const override { return m_socket->fd(); }
  short poll_events(bool wants_write) const override { return m_socket->poll_events(wants_write); }
  bool buffered() const override { return m_used < m_output.size() || m_socket->buffered(); }

  Io read(std::span<char> into) override {
    while (m_used == m_output.size()) {
      if (Io io = refill(); io.state != State::moved) return io;
    }
    const std::size_t count = std::min(into.size(), m_output.size() - m_used);
    std::memcpy(into.data(), m_output.data() + m_used, count);
    m_used += count;
    return {State::moved, count, {}};
  }

  Io write(std::string_view bytes) override {
    if (bytes.empty()) return {State::moved, 0, {}};
    bytes = bytes.substr(0, k_max_message);
    m_message.assign(1, static_cast<char>(ExecChannel::input));
    m_message += bytes;
    return send(bytes.size());
  }

  bool close_input() override {
    if (m_socket->protocol() != k_v5) return false;
    m_message = {static_cast<char>(ExecChannel::close), static_cast<char>(ExecChannel::input)};
    m_close_input = send(0).state == State::would_block;
    return true;
  }

  const std::optional<ExecResult>& result() const override { return m_result; }
  const std::string& errors() const override { return m_errors; }
  const std::string& protocol() const override { return m_socket->protocol(); }

 private:
  Io send(std::size_t bytes) {
    const net::WebSocketIo io = m_socket->write(m_message);
    if (io.state == net::WebSocketIo::State::moved) return {State::moved, bytes, {}};
    if (io.state == net::WebSocketIo::State::would_block) return {};
    return {State::closed, 0, io.why};
  }

  /// Takes one piece in. `moved` also where it held no output.
  Io refill() {
    m_output.clear();
    m_used = 0;
    keep_alive();
    if (m_close_input) m_close_input = send_close();
    const net::WebSocketIo io = m_socket->read(m_buffer);
    if (io.state == net::WebSocketIo::State::would_block) return {};
    if (io.state == net::WebSocketIo::State::closed) return {State::closed, 0, io.why};
    try {
      m_demux.feed({m_buffer.data(), io.bytes}, io.end_of_message,
                   [this](ExecChannel channel, std::string_view piece) {
                     if (channel == ExecChannel::output)
                       m_output.append(piece);
                     else
                       m_errors.append(
                           piece.substr(0, k_max_errors - std::min(k_max_errors, m_errors.size())));
                   });
    } catch (const ChannelError& error) {
      return {State::closed, 0, std::string("exec: ") + error.what()};
    }
    if (m_demux.has_status() && !m_result) m_result = read_exec_result(m_demux.status());
    return {State::moved, io.bytes, {}};
  }

  bool send_close() {
    m_message = {static_cast<char>(ExecChannel::close), static_cast<char>(ExecChannel::input)};
    return send(0).state == State::would_block;
  }

  void keep_alive() {
    const auto now = steady_clock::now();
    if (now < m_next_ping) return;
    m_next_ping = now + k_ping_every;
    m_socket->ping();
  }

  std::unique_ptr<net::WebSocket> m_socket;
  ChannelDemux m_demux;
  std::array<char, std::size_t{64} << 10> m_buffer;
  std::string m_output;
  std::size_t m_used = 0;
  std::string m_message;
  bool m_close_input = false;
  std::string m_errors;
  std::optional<ExecResult> m_result;
  steady_clock::time_point m_next_ping = steady_clock::now() + k_ping_every;
};

std::string exec_target(const ExecRequest& request) {
  std::vector<std::pair<std::string, std::string>> pairs{
      {"container", request.container},
      {"stdin", request.with_stdin ? "true" : ""},
      {"stdout", "true"},
      {"stderr", "true"}};
  std::string target =
      object_path(resources::k_pods, request.name_space, request.pod, "exec") + query(pairs);
  // An empty argument is an argument too.
  for (const std::string& word : request.command) target += "&command=" + net::percent_encode(word);
  return target;
}

}  // namespace

std::unique_ptr<ExecStream> open_exec(Client& client, const ExecRequest& request,
                                      steady_clock::time_point deadline, std::stop_token stop) {
  Caller& caller = client.impl().caller;
  const std::string name = fmt::format("exec in container '{}' of pod '{}/{}'", request.container,
                                       request.name_space, request.pod);
  try {
    net::WebSocketAnswer answer = caller.websocket({.target = exec_target(request),
                                                    .headers = {},
                                                    .secret_headers = {},
                                                    .protocols = {k_v5, k_v4}},
                                                   deadline, stop);
    if (!answer.socket) {
      if (answer.response.status < 300) {
        throw ApiError(support::Fault::operator_,
                       fmt::format("{}: {}: the answer is {} instead of a WebSocket",
                                   caller.describe(), name, answer.response.status),
                       read_status(answer.response),
                       "something between here and the API server takes WebSockets apart: a proxy "
                       "or load balancer must pass the Upgrade header");
      }
      throw refused(caller.connection(), name, read_status(answer.response));
    }
    const std::string& protocol = answer.socket->protocol();
    if (protocol != k_v5 && protocol != k_v4)
      throw ApiUnreachable(support::Fault::operator_,
                           fmt::format("{}: {}: the server speaks neither {} nor {}",
                                       caller.describe(), name, k_v5, k_v4),
                           "does something between here and the API server change WebSockets?");
    return std::make_unique<Stream>(std::move(answer.socket));
  } catch (const net::HttpError& error) {
    throw unreachable(caller.connection(), name, error, false);
  }
}

ExecOutput run_exec(Client& client, const ExecRequest& request, std::string_view input,
                    std::size_t max_output, steady_clock::time_point deadline,
                    std::stop_token stop) {
  const std::unique_ptr<ExecStream> stream = open_exec(client, request, deadline, stop);
  const agentlink::StopSignal stopping(stop);
  agentlink::Waiter& waiter = agentlink::system_waiter();
  ExecOutput output;
  std::vector<char> buffer(std::size_t{64} << 10);
  bool closed_input = !request.with_stdin;
  while (true) {
    if (stopping.requested()) throw support::Cancelled();
    if (!input.empty()) {
      const ExecStream::Io io = stream->write(input);
      if (io.state == ExecStream::State::moved) input.remove_prefix(io.bytes);
      if (io.state == ExecStream::State::closed) input = {};
    }
    if (input.empty() && !closed_input) {
      stream->close_input();
      closed_input = true;
    }
    const ExecStream::Io io = stream->read(buffer);
    if (io.state == ExecStream::State::moved) {
      output.output.append(
          buffer.data(),
          std::min(io.bytes, max_output - std::min(max_output, output.output.size())));
      continue;
    }
    if (io.state == ExecStream::State::closed) {
      output.errors = stream->errors();
      if (stream->result())
        output.result = *stream->result();
      else
        output.result.message = io.why.empty() ? "the connection ended before the program" : io.why;
      return output;
    }
    if (waiter.now() >= deadline) {
      output.errors = stream->errors();
      output.result.message = "it did not end in time";
      return output;
    }
    if (stream->buffered()) continue;
    std::array<pollfd, 2> fds{pollfd{stream->fd(), stream->poll_events(!input.empty()), 0},
                              pollfd{stopping.fd(), POLLIN, 0}};
    waiter.wait(fds, std::min(deadline, waiter.now() + k_ping_every));
  }
}

}  // namespace berth::kubernetes
