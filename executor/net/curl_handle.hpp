#pragma once

#include "executor/net/http.hpp"

#include <array>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

/// Internal to executor/net. libcurl's handles are void pointers in its headers
/// too; its header is included by the .cpp files only.
namespace berth::net {

struct CurlDeleter {
  void operator()(void* handle) const noexcept;
};
struct CurlMultiDeleter {
  void operator()(void* handle) const noexcept;
};

struct CurlListDeleter {
  void operator()(void* list) const noexcept;
};

/// base_url as libcurl must be given it: with the name the certificate is for,
/// since that is where libcurl takes the name from.
std::string url_for_curl(const HttpOptions& options);
/// "10.0.0.1:6443": what stands in the Host header.
std::string host_and_port(const HttpOptions& options);

/// A multi handle with the one easy handle that is used in it: one connection
/// that is used again and again, by one thread at a time.
class CurlChannel {
 public:
  /// The options must outlive the channel (certificates are not copied).
  explicit CurlChannel(const HttpOptions& options);
  CurlChannel(const CurlChannel&) = delete;
  CurlChannel& operator=(const CurlChannel&) = delete;
  ~CurlChannel();

  void* easy() noexcept { return m_easy.get(); }
  void* multi() noexcept { return m_multi.get(); }

  /// Back to the options of the constructor; connections stay.
  void reset();

  /// Runs the easy handle to its end. Throws HttpError and support::Cancelled.
  /// The handle stays in the multi handle until release().
  void run(const std::stop_token& stop, const std::function<bool()>& out_of_time);
  void release() noexcept;

  HttpError error(int code);

 private:
  const HttpOptions& m_options;
  std::array<char, 256> m_error_buffer{};
  std::unique_ptr<void, CurlMultiDeleter> m_multi;
  std::unique_ptr<void, CurlDeleter> m_easy;
  std::unique_ptr<void, CurlListDeleter> m_connect_to;
  bool m_added = false;
  /// An address was, for HttpOptions::elsewhere.
  bool m_refused = false;
};

}  // namespace berth::net
