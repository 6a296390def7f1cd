#pragma once

#include "executor/net/http.hpp"

#include <memory>
#include <string>
#include <string_view>

/// Internal to executor/net.
namespace berth::net {

/// A connection to HttpOptions' server, made by libcurl: TLS and proxy are done.
/// What is above it is the user's own business.
class RawStream : public DuplexStream {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Bytes that were read too far: read() gives them first.
  virtual void give_back(std::string rest) = 0;
  enum class Direction { in, out, both };
  /// Waits until the stream is ready, at most a second. Throws HttpError (timeout)
  /// past the deadline, and support::Cancelled.
  virtual void wait(Direction direction, Deadline deadline, const std::stop_token& stop) = 0;
};

/// Throws HttpError and support::Cancelled. `options` must outlive the stream.
std::unique_ptr<RawStream> connect_raw(const HttpOptions& options, RawStream::Deadline deadline,
                                       const std::stop_token& stop);

}  // namespace berth::net
