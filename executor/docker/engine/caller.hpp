#pragma once

#include "executor/docker/engine/api_version.hpp"
#include "executor/docker/engine/engine.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// Internal to executor/docker/engine.
namespace berth::docker {

/// When a call may be made again after a failure that says nothing certain.
/// After a failed connect any call may: it was not made.
enum class Repeat {
  never,        ///< making it twice is not the same as once
  after_reset,  ///< twice is once; a 500 is the engine's verdict
  always,       ///< reading and removing: after a 500 too, twice
};

struct EngineCall {
  /// For messages: "create container 'x'".
  std::string name{};
  net::HttpRequest request{};
  Repeat repeat = Repeat::always;
  /// Statuses of 300 and above that are answers, not errors.
  std::vector<int> accept{};
};

struct EngineAnswer {
  /// As Complaint::status where it is 400 or more.
  int status = 0;
  net::HttpResponse response{};
  /// An earlier try of this call may have been carried out: its reply was lost.
  bool maybe_done_before = false;
};

/// Makes calls: version prefix, retries, errors with names. Thread-safe.
class Caller {
 public:
  Caller(EngineAddress address, std::unique_ptr<net::HttpClient> http, EngineOptions options);

  /// call.request.target comes without the version.
  EngineAnswer call(EngineCall call, const std::stop_token& stop);
  /// Never repeated once connected.
  std::unique_ptr<net::DuplexStream> hijack(EngineCall call,
                                            std::chrono::steady_clock::time_point deadline,
                                            const std::stop_token& stop);
  ApiVersion negotiate(const std::stop_token& stop);
  const EngineAddress& address() const noexcept { return m_address; }

 private:
  class Patience;
  EngineAnswer send(EngineCall& call, const std::stop_token& stop);
  ApiVersion agreed(const net::HttpResponse& response) const;

  EngineAddress m_address;
  std::unique_ptr<net::HttpClient> m_http;
  EngineOptions m_options;
  std::atomic<bool> m_known = false;
  std::mutex m_mutex;
  std::optional<ApiVersion> m_version;
};

/// A request with a JSON body.
net::HttpRequest json_request(std::string method, std::string target, std::string body);

/// `?filters={"label":[...]}`, percent-encoded; "" without labels.
std::string label_query(const LabelFilter& labels);

}  // namespace berth::docker
