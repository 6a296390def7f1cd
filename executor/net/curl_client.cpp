#include "executor/net/curl_client.hpp"

#include "executor/net/curl_handle.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <new>
#include <optional>

namespace berth::net {
namespace {

struct SlistDeleter {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

class HeaderList {
 public:
  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(m_list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(m_list.release());
    m_list.reset(longer);
  }
  curl_slist* get() const noexcept { return m_list.get(); }

 private:
  std::unique_ptr<curl_slist, SlistDeleter> m_list;
};

/// What libcurl's callbacks fill. A callback may not throw through C: what it
/// threw waits in `failure`.
struct Exchange {
  CURL* easy;
  const HttpRequest& request;
  HttpResponse response;
  std::exception_ptr failure;
  bool enough = false;
  bool too_large = false;
  unsigned sent = 0;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view k_blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(k_blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(k_blanks) - first + 1);
}

std::size_t on_header(char* data, std::size_t, std::size_t length, void* user) noexcept {
  Exchange& exchange = *static_cast<Exchange*>(user);
  try {
    const std::string_view line(data, length);
    if (line.starts_with("HTTP/")) {
      exchange.response.headers.clear();  // an interim answer (100) came before
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      exchange.response.headers.push_back({std::string(trimmed(line.substr(0, colon))),
                                           std::string(trimmed(line.substr(colon + 1)))});
    }
    return length;
  } catch (...) {
    exchange.failure = std::current_exception();
    return 0;
  }
}

std::size_t on_body(char* data, std::size_t, std::size_t length, void* user) noexcept {
  Exchange& exchange = *static_cast<Exchange*>(user);
  try {
    long status = 0;
    curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
    if (exchange.request.on_body && status >= 200 && status < 300) {
      exchange.enough = !exchange.request.on_body({data, length});
      return exchange.enough ? 0 : length;
    }
    if (exchange.response.body.size() + length > exchange.request.max_body) {
      exchange.too_large = true;
      return 0;
    }
    exchange.response.body.append(data, length);
    return length;
  } catch (...) {
    exchange.failure = std::current_exception();
    return 0;
  }
}

/// Called before the request goes out. libcurl makes a request again by itself
/// when a connection it used before ends without an answer (lib/transfer.c,
/// Curl_retry_request); the server may have done what was asked, so whether to
/// ask again is not for the library to decide.
int on_send(void* user, char*, char*, int, int) noexcept {
  return static_cast<Exchange*>(user)->sent++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

HeaderList header_list(const HttpRequest& request) {
  HeaderList list;
  for (const Header& header : request.headers) list.add(header.name + ": " + header.value);
  for (const SecretHeader& header : request.secret_headers)
    list.add(header.name + ": " + std::string(header.value.expose()));
  return list;
}

void set_method(CURL* easy, const HttpRequest& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.method == "POST" || request.method == "PUT" || !request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(HttpOptions options) : m_options(std::move(options)) {}

  HttpResponse send(const HttpRequest& request, std::stop_token stop) override;
  Upgraded upgrade(const HttpRequest& request, std::chrono::steady_clock::time_point deadline,
                   std::stop_token stop) override {
    return curl_upgrade(m_options, request, deadline, stop);
  }

 private:
  std::unique_ptr<CurlChannel> take();
  void put_back(std::unique_ptr<CurlChannel> channel);

  const HttpOptions m_options;
  std::mutex m_mutex;
  std::vector<std::unique_ptr<CurlChannel>> m_idle;
};

std::unique_ptr<CurlChannel> CurlHttpClient::take() {
  {
    const std::lock_guard lock(m_mutex);
    if (!m_idle.empty()) {
      std::unique_ptr<CurlChannel> channel = std::move(m_idle.back());
      m_idle.pop_back();
      return channel;
    }
  }
  return std::make_unique<CurlChannel>(m_options);
}

void CurlHttpClient::put_back(std::unique_ptr<CurlChannel> channel) {
  channel->release();
  channel->reset();
  const std::lock_guard lock(m_mutex);
  m_idle.push_back(std::move(channel));
}

HttpResponse CurlHttpClient::send(const HttpRequest& request, std::stop_token stop) {
  std::unique_ptr<CurlChannel> channel = take();
  CURL* easy = channel->easy();
  Exchange exchange{.easy = easy, .request = request, .response = {}, .failure = {}};
  HeaderList headers = header_list(request);
  if (!m_options.tls.server_name.empty()) headers.add("Host: " + host_and_port(m_options));
  const std::string url = url_for_curl(m_options) + request.target;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  set_method(easy, request);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &on_send);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  if (request.silence_timeout.count() > 0) {
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(request.silence_timeout.count()));
  }
  if (request.deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        *request.deadline - std::chrono::steady_clock::now());
    constexpr long k_day = 86400000;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(std::clamp<std::int64_t>(left.count(), 1, k_day)));
  }
  // On any exception the channel dies, and its connection with it.
  try {
    channel->run(stop, {});
  } catch (const HttpError& error) {
    if (exchange.failure) std::rethrow_exception(exchange.failure);
    // Also where the connection for a second time could not even be made.
    const bool not_connected = error.failure() == HttpFailure::cannot_connect ||
                               error.failure() == HttpFailure::cannot_resolve;
    if (exchange.sent > 1 || (exchange.sent == 1 && not_connected))
      throw HttpError(HttpFailure::reset, "the connection ended before an answer came");
    if (exchange.too_large)
      throw HttpError(HttpFailure::malformed, "the answer is larger than expected");
    if (!exchange.enough) throw;
    channel.reset();
  }
  long status = 0;
  if (channel) {
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    put_back(std::move(channel));
  } else {
    status = 200;  // on_body is called for 2xx answers alone
  }
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace

std::unique_ptr<HttpClient> make_http_client(HttpOptions options) {
  return std::make_unique<CurlHttpClient>(std::move(options));
}

}  // namespace berth::net
