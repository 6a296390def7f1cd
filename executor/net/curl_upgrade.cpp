#include "executor/net/curl_client.hpp"
#include "executor/net/curl_handle.hpp"
#include "executor/net/curl_stream.hpp"
#include "executor/net/response_head.hpp"

#include <array>

namespace berth::net {
namespace {

using Deadline = RawStream::Deadline;

std::string request_text(const HttpOptions& options, const HttpRequest& request) {
  std::string text =
      request.method + " " + request.target + " HTTP/1.1\r\nHost: " + host_and_port(options) +
      "\r\nUser-Agent: berth/" BERTH_VERSION "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n";
  for (const Header& header : request.headers) text += header.name + ": " + header.value + "\r\n";
  for (const SecretHeader& header : request.secret_headers)
    text += header.name + ": " + std::string(header.value.expose()) + "\r\n";
  text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
  return text;
}

void send_all(RawStream& stream, std::string_view bytes, Deadline deadline,
              const std::stop_token& stop) {
  while (!bytes.empty()) {
    const DuplexIo io = stream.write(bytes);
    if (io.state == DuplexIo::State::closed) throw HttpError(HttpFailure::reset, io.why);
    if (io.state == DuplexIo::State::moved)
      bytes.remove_prefix(io.bytes);
    else
      stream.wait(RawStream::Direction::out, deadline, stop);
  }
}

void receive(RawStream& stream, UpgradeReply& reply, Deadline deadline,
             const std::stop_token& stop) {
  std::array<char, 16384> buffer;
  while (true) {
    const DuplexIo io = stream.read(buffer);
    if (io.state == DuplexIo::State::moved) {
      if (reply.feed({buffer.data(), io.bytes})) return;
    } else if (io.state == DuplexIo::State::closed) {
      if (io.why.empty() && reply.end()) return;
      throw HttpError(HttpFailure::reset,
                      io.why.empty() ? "connection closed without an answer" : io.why);
    } else {
      stream.wait(RawStream::Direction::in, deadline, stop);
    }
  }
}

}  // namespace

Upgraded curl_upgrade(const HttpOptions& options, const HttpRequest& request, Deadline deadline,
                      const std::stop_token& stop) {
  std::unique_ptr<RawStream> stream = connect_raw(options, deadline, stop);
  send_all(*stream, request_text(options, request), deadline, stop);
  UpgradeReply reply;
  receive(*stream, reply, deadline, stop);
  Upgraded result{reply.response(), nullptr};
  if (reply.granted()) {
    stream->give_back(reply.rest());
    result.stream = std::move(stream);
  }
  return result;
}

}  // namespace berth::net
