#include "executor/dind/ping.hpp"

#include "agent/protocol/dial.hpp"
#include "executor/agentlink/waiter.hpp"
#include "executor/support/error.hpp"
#include "executor/support/freed_by.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

namespace berth::dind {
namespace {

using agentlink::Io;
using support::FreedBy;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_slice{500};
constexpr std::size_t k_most_reply = 4096;

using Bio = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using Context = std::unique_ptr<SSL_CTX, FreedBy<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, FreedBy<SSL_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreedBy<X509_free>>;

/// Why there is no answer: words.
struct NoAnswer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string tls_words() {
  std::array<char, 200> words{};
  ERR_error_string_n(ERR_get_error(), words.data(), words.size());
  ERR_clear_error();
  return words.data();
}

/// Blocking use of a Stream, within a deadline.
class Channel {
 public:
  Channel(agentlink::Stream& stream, Clock::time_point deadline,
          const std::function<bool()>& still_wanted, const std::stop_token& stop)
      : m_stream(stream), m_deadline(deadline), m_wanted(still_wanted), m_stopping(stop) {}

  std::size_t read(std::span<char> into) {
    for (;;) {
      const Io io = m_stream.read(into);
      if (io.state == Io::State::moved && io.bytes > 0) return io.bytes;
      if (io.state == Io::State::closed) throw NoAnswer(closed(io));
      if (io.state == Io::State::would_block && !m_stream.buffered()) wait(false);
    }
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const Io io = m_stream.write(bytes);
      if (io.state == Io::State::closed) throw NoAnswer(closed(io));
      bytes.remove_prefix(io.bytes);
      if (io.state == Io::State::would_block) wait(true);
    }
  }

 private:
  static std::string closed(const Io& io) {
    return io.why.empty() ? "the connection was closed" : io.why;
  }

  void wait(bool writing) {
    agentlink::Waiter& waiter = agentlink::system_waiter();
    if (m_stopping.requested()) throw support::Cancelled();
    if (waiter.now() >= m_deadline) throw NoAnswer("no answer in time");
    if (waiter.now() >= m_ask_again) {
      if (!m_wanted()) throw NoAnswer("it has ended");
      m_ask_again = waiter.now() + k_slice;
    }
    std::array<pollfd, 2> fds{pollfd{m_stream.fd(), m_stream.poll_events(writing), 0},
                              pollfd{m_stopping.fd(), POLLIN, 0}};
    waiter.wait(fds, std::min(m_deadline, m_ask_again));
  }

  agentlink::Stream& m_stream;
  Clock::time_point m_deadline;
  Clock::time_point m_ask_again = Clock::now() + k_slice;
  const std::function<bool()>& m_wanted;
  agentlink::StopSignal m_stopping;
};

X509* parse_certificate(const std::string& pem, Certificate& owner) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  owner.reset(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  return owner.get();
}

Context make_context(const Certificates& certificates) {
  Context context(SSL_CTX_new(TLS_client_method()));
  Certificate authority;
  Certificate own;
  const std::string_view key_text = certificates.client.key.expose();
  const Bio key_bio(BIO_new_mem_buf(key_text.data(), static_cast<int>(key_text.size())));
  const Key key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  const bool made =
      context && key &&
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()),
                          parse_certificate(certificates.authority, authority)) == 1 &&
      SSL_CTX_use_certificate(context.get(),
                              parse_certificate(certificates.client.certificate, own)) == 1 &&
      SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1;
  if (!made) throw support::SystemError("cannot use the job's certificates: " + tls_words());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

/// TLS between two buffers and a Channel.
class Tls {
 public:
  Tls(Channel& channel, const PingTarget& target)
      : m_channel(channel),
        m_context(make_context(*target.certificates)),
        m_ssl(SSL_new(m_context.get())) {
    m_in = BIO_new(BIO_s_mem());
    m_out = BIO_new(BIO_s_mem());
    if (!m_ssl || m_in == nullptr || m_out == nullptr) throw std::bad_alloc();
    SSL_set_bio(m_ssl.get(), m_in, m_out);
    SSL_set_tlsext_host_name(m_ssl.get(), target.host.c_str());
    SSL_set1_host(m_ssl.get(), target.host.c_str());
    SSL_set_connect_state(m_ssl.get());
    drive([this] { return SSL_do_handshake(m_ssl.get()); });
  }

  void write(std::string_view bytes) {
    drive([&] { return SSL_write(m_ssl.get(), bytes.data(), static_cast<int>(bytes.size())); });
  }
  std::size_t read(std::span<char> into) {
    return static_cast<std::size_t>(
        drive([&] { return SSL_read(m_ssl.get(), into.data(), static_cast<int>(into.size())); }));
  }

 private:
  template <typename Step>
  int drive(Step step) {
    for (;;) {
      ERR_clear_error();
      const int result = step();
      const int error = SSL_get_error(m_ssl.get(), result);
      flush();
      if (result > 0) return result;
      if (error == SSL_ERROR_ZERO_RETURN) throw NoAnswer("the connection was closed");
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        throw NoAnswer("TLS: " + words_of_failure());
      }
      std::array<char, 16384> piece;
      const std::size_t got = m_channel.read(piece);
      BIO_write(m_in, piece.data(), static_cast<int>(got));
    }
  }

  std::string words_of_failure() const {
    const long verdict = SSL_get_verify_result(m_ssl.get());
    return verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : tls_words();
  }

  void flush() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(m_out, &bytes);
    if (size > 0) m_channel.write({bytes, static_cast<std::size_t>(size)});
    (void)BIO_reset(m_out);
  }

  Channel& m_channel;
  Context m_context;
  Ssl m_ssl;
  BIO* m_in = nullptr;
  BIO* m_out = nullptr;
};

template <typename Connection>
void ask(Connection& connection, const std::string& host) {
  connection.write(fmt::format(
      "GET /_ping HTTP/1.1\r\nHost: {}\r\nUser-Agent: berth\r\nConnection: close\r\n\r\n", host));
  std::string reply;
  while (reply.find("\r\n") == std::string::npos) {
    if (reply.size() > k_most_reply) throw NoAnswer("not an HTTP server");
    std::array<char, 1024> piece;
    const std::size_t got = connection.read(piece);
    reply.append(piece.data(), got);
  }
  const std::string line = reply.substr(0, reply.find("\r\n"));
  if (!line.starts_with("HTTP/1.") || line.find(" 200") != 8) {
    throw NoAnswer("it said: " + support::one_line(line, 200));
  }
}

}  // namespace

std::optional<std::string> ping(agentlink::Stream& stream, const PingTarget& target,
                                Clock::time_point deadline,
                                const std::function<bool()>& still_wanted, std::stop_token stop) {
  try {
    Channel channel(stream, deadline, still_wanted, stop);
    char greeting = 0;
    channel.read({&greeting, 1});
    if (greeting != protocol::k_dial_greeting) return "not the agent's dial";
    if (target.certificates == nullptr) {
      ask(channel, target.host);
    } else {
      Tls tls(channel, target);
      ask(tls, target.host);
    }
    return std::nullopt;
  } catch (const NoAnswer& reason) {
    return reason.what();
  }
}

}  // namespace berth::dind
