#include "executor/net/response_head.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace berth::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t k_max_head = std::size_t{64} << 10;
constexpr std::size_t k_max_refusal = std::size_t{1} << 20;

}  // namespace

class UpgradeReply::Impl {
 public:
  Impl() {
    m_parser.header_limit(k_max_head);
    m_parser.body_limit(k_max_refusal);
  }

  bool feed(std::string_view bytes) {
    m_pending.append(bytes);
    if (!m_parser.is_header_done()) {
      put();
      if (!m_parser.is_header_done()) return false;
      if (granted()) return true;
      m_parser.eager(true);
    }
    while (!m_parser.is_done() && !m_pending.empty() && put() > 0) {
    }
    return m_parser.is_done();
  }

  bool end() {
    if (!m_parser.is_header_done()) return false;
    if (granted() || m_parser.is_done()) return true;
    beast::error_code error;
    m_parser.put_eof(error);
    // A body that was cut off still says more than nothing.
    return true;
  }

  bool granted() const {
    const auto status = m_parser.get().result_int();
    return m_parser.is_header_done() && (status == 101 || status == 200);
  }

  HttpResponse response() const {
    HttpResponse response;
    response.status = static_cast<int>(m_parser.get().result_int());
    for (const auto& field : m_parser.get())
      response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    if (!granted()) response.body = m_parser.get().body();
    return response;
  }

  std::string rest() const { return m_pending; }

 private:
  std::size_t put() {
    beast::error_code error;
    const std::size_t used =
        m_parser.put(boost::asio::const_buffer(m_pending.data(), m_pending.size()), error);
    m_pending.erase(0, used);
    if (error == http::error::need_more) {
      if (!m_parser.is_header_done() && m_pending.size() > k_max_head)
        throw HttpError(HttpFailure::malformed, "the answer's header is too long");
      return 0;
    }
    if (error) throw HttpError(HttpFailure::malformed, "not an HTTP answer: " + error.message());
    return used;
  }

  http::parser<false, http::string_body> m_parser;
  std::string m_pending;
};

UpgradeReply::UpgradeReply() : m_impl(std::make_unique<Impl>()) {}
UpgradeReply::~UpgradeReply() = default;
bool UpgradeReply::feed(std::string_view bytes) {
  return m_impl->feed(bytes);
}
bool UpgradeReply::end() {
  return m_impl->end();
}
bool UpgradeReply::granted() const {
  return m_impl->granted();
}
HttpResponse UpgradeReply::response() const {
  return m_impl->response();
}
std::string UpgradeReply::rest() const {
  return m_impl->rest();
}

}  // namespace berth::net
