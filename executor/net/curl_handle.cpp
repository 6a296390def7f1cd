#include "executor/net/curl_handle.hpp"

#include "executor/net/address.hpp"
#include "executor/net/curl_errors.hpp"

#include <curl/curl.h>

#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <sys/socket.h>

namespace berth::net {
namespace {

void init_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK)
      throw support::SystemError(std::string("cannot start libcurl: ") + curl_easy_strerror(code));
  });
}

/// `refused`: a bool that is set where the address may not be connected to; null: any may.
curl_socket_t open_socket(void* refused, curlsocktype, curl_sockaddr* address) noexcept {
  if (refused != nullptr && is_this_machine(address->addr)) {
    *static_cast<bool*>(refused) = true;
    return CURL_SOCKET_BAD;
  }
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd >= 0 && address->family != AF_UNIX) {
    // A path that swallows everything is noticed in less than a minute, whether
    // bytes wait to be acknowledged or the connection is idle.
    const int probes = 3;
    const unsigned unanswered = 45000;
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered, sizeof unanswered);
  }
  return fd;
}

void set_blob(CURL* easy, CURLoption option, std::string_view bytes) {
  // libcurl reads through the pointer only.
  curl_blob blob{const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
  curl_easy_setopt(easy, option, &blob);
}

}  // namespace

void CurlDeleter::operator()(void* handle) const noexcept {
  curl_easy_cleanup(handle);
}
void CurlMultiDeleter::operator()(void* handle) const noexcept {
  curl_multi_cleanup(handle);
}

void CurlListDeleter::operator()(void* list) const noexcept {
  curl_slist_free_all(static_cast<curl_slist*>(list));
}

std::string host_and_port(const HttpOptions& options) {
  const std::size_t host = options.base_url.find("//");
  return options.base_url.substr(host == std::string::npos ? 0 : host + 2);
}

std::string url_for_curl(const HttpOptions& options) {
  if (options.tls.server_name.empty()) return options.base_url;
  const std::string host = host_and_port(options);
  const std::size_t colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  const std::string port = colon == std::string::npos ? "" : host.substr(colon);
  return options.base_url.substr(0, options.base_url.size() - host.size()) +
         options.tls.server_name + port;
}

CurlChannel::CurlChannel(const HttpOptions& options) : m_options(options) {
  init_curl_once();
  m_multi.reset(curl_multi_init());
  m_easy.reset(curl_easy_init());
  if (!m_multi || !m_easy) throw std::bad_alloc();
  reset();
}

CurlChannel::~CurlChannel() {
  release();
}

void CurlChannel::reset() {
  CURL* easy = m_easy.get();
  curl_easy_reset(easy);
  m_error_buffer.fill('\0');
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, m_error_buffer.data());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  // Without this call, or with nullptr, libcurl reads the environment.
  curl_easy_setopt(easy, CURLOPT_PROXY, std::string(m_options.proxy.expose()).c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, m_options.proxy.empty() ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "berth/" BERTH_VERSION);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  const bool choosy = m_options.elsewhere && m_options.proxy.empty();
  m_refused = false;
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, choosy ? &m_refused : nullptr);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(m_options.connect_timeout.count()));
  if (!m_options.unix_socket.empty())
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, m_options.unix_socket.c_str());
  const TlsOptions& tls = m_options.tls;
  if (!tls.server_name.empty()) {
    // Any host and port of the URL mean the real ones.
    const std::string host = host_and_port(m_options);
    m_connect_to.reset(curl_slist_append(nullptr, ("::" + host).c_str()));
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, static_cast<curl_slist*>(m_connect_to.get()));
  }
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  if (!tls.ca_pem.empty()) {
    set_blob(easy, CURLOPT_CAINFO_BLOB, tls.ca_pem);
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!tls.certificate_pem.empty()) set_blob(easy, CURLOPT_SSLCERT_BLOB, tls.certificate_pem);
  if (!tls.key_pem.empty()) set_blob(easy, CURLOPT_SSLKEY_BLOB, tls.key_pem.expose());
}

void CurlChannel::run(const std::stop_token& stop, const std::function<bool()>& out_of_time) {
  if (stop.stop_requested()) throw support::Cancelled();
  // Safe from another thread, and kept where no poll is running yet.
  const std::stop_callback wake(stop, [this] { curl_multi_wakeup(m_multi.get()); });
  if (curl_multi_add_handle(m_multi.get(), m_easy.get()) != CURLM_OK) throw std::bad_alloc();
  m_added = true;
  while (true) {
    int running = 0;
    if (const CURLMcode code = curl_multi_perform(m_multi.get(), &running); code != CURLM_OK)
      throw support::SystemError(std::string("libcurl: ") + curl_multi_strerror(code));
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(m_multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      if (message->data.result != CURLE_OK) throw error(message->data.result);
      return;
    }
    if (stop.stop_requested()) throw support::Cancelled();
    if (out_of_time && out_of_time()) throw HttpError(HttpFailure::timeout, "no answer in time");
    // libcurl's own timers cut this short; a stop wakes it.
    constexpr int k_tick = 1000;
    constexpr int k_long = 600000;
    curl_multi_poll(m_multi.get(), nullptr, 0, out_of_time ? k_tick : k_long, nullptr);
    if (stop.stop_requested()) throw support::Cancelled();
  }
}

void CurlChannel::release() noexcept {
  if (m_added) curl_multi_remove_handle(m_multi.get(), m_easy.get());
  m_added = false;
}

HttpError CurlChannel::error(int code) {
  if (m_refused && code == CURLE_COULDNT_CONNECT) {
    return {HttpFailure::this_machine,
            "'" + host_and_port(m_options) + "' is an address of this machine or its link"};
  }
  long system_error = 0;
  curl_easy_getinfo(m_easy.get(), CURLINFO_OS_ERRNO, &system_error);
  return classify_curl_error(code, m_error_buffer.data(), static_cast<int>(system_error));
}

}  // namespace berth::net
