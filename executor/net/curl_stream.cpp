#include "executor/net/curl_stream.hpp"

#include "executor/net/curl_handle.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>

namespace berth::net {
namespace {

using Deadline = RawStream::Deadline;

bool past(Deadline deadline) {
  return std::chrono::steady_clock::now() >= deadline;
}

long milliseconds_left(Deadline deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::clamp<long>(static_cast<long>(left.count()), 1, 60000);
}

/// A connection made with CURLOPT_CONNECT_ONLY. libcurl finds it through the
/// multi handle, so the easy handle stays in there.
class CurlStream final : public RawStream {
 public:
  CurlStream(std::unique_ptr<CurlChannel> channel, bool tls)
      : m_channel(std::move(channel)), m_tls(tls) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(m_channel->easy(), CURLINFO_ACTIVESOCKET, &socket);
    m_fd = socket;
  }

  int fd() const override { return m_fd; }
  bool buffered() const override { return m_offset < m_rest.size() || m_maybe_more; }

  DuplexIo read(std::span<char> into) override {
    if (m_offset < m_rest.size()) {
      const std::size_t count = std::min(into.size(), m_rest.size() - m_offset);
      std::memcpy(into.data(), m_rest.data() + m_offset, count);
      m_offset += count;
      return {DuplexIo::State::moved, count, {}};
    }
    std::size_t count = 0;
    const CURLcode code = curl_easy_recv(m_channel->easy(), into.data(), into.size(), &count);
    // TLS hands over whole records: the next one may have been read already.
    m_maybe_more = m_tls && code == CURLE_OK && count > 0;
    return outcome(code, count);
  }

  DuplexIo write(std::string_view bytes) override {
    std::size_t count = 0;
    const CURLcode code = curl_easy_send(m_channel->easy(), bytes.data(), bytes.size(), &count);
    if (code == CURLE_OK && count == 0) return {DuplexIo::State::would_block, 0, {}};
    return outcome(code, count);
  }

  void give_back(std::string rest) override { m_rest = std::move(rest); }

  void wait(Direction direction, Deadline deadline, const std::stop_token& stop) override {
    if (stop.stop_requested()) throw support::Cancelled();
    if (past(deadline)) throw HttpError(HttpFailure::timeout, "no answer in time");
    CURLM* multi = m_channel->multi();
    const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
    short events = 0;
    if (direction != Direction::out) events |= CURL_WAIT_POLLIN;
    if (direction != Direction::in) events |= CURL_WAIT_POLLOUT;
    curl_waitfd extra{m_fd, events, 0};
    curl_multi_poll(multi, &extra, 1,
                    static_cast<int>(std::min(1000L, milliseconds_left(deadline))), nullptr);
    if (stop.stop_requested()) throw support::Cancelled();
  }

 private:
  DuplexIo outcome(CURLcode code, std::size_t count) {
    if (code == CURLE_AGAIN) return {DuplexIo::State::would_block, 0, {}};
    if (code != CURLE_OK) return {DuplexIo::State::closed, 0, m_channel->error(code).what()};
    if (count == 0) return {DuplexIo::State::closed, 0, {}};
    return {DuplexIo::State::moved, count, {}};
  }

  std::unique_ptr<CurlChannel> m_channel;
  int m_fd = -1;
  bool m_tls;
  bool m_maybe_more = false;
  std::string m_rest;
  std::size_t m_offset = 0;
};

}  // namespace

std::unique_ptr<RawStream> connect_raw(const HttpOptions& options, Deadline deadline,
                                       const std::stop_token& stop) {
  auto channel = std::make_unique<CurlChannel>(options);
  CURL* easy = channel->easy();
  curl_easy_setopt(easy, CURLOPT_URL, url_for_curl(options).c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(
      easy, CURLOPT_CONNECTTIMEOUT_MS,
      std::min(milliseconds_left(deadline), static_cast<long>(options.connect_timeout.count())));
  channel->run(stop, [&] { return past(deadline); });
  return std::make_unique<CurlStream>(std::move(channel), options.base_url.starts_with("https:"));
}

}  // namespace berth::net
