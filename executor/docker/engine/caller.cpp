#include "executor/docker/engine/caller.hpp"

#include "executor/docker/engine/failures.hpp"
#include "executor/support/retry.hpp"
#include "executor/support/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace berth::docker {
namespace {

using std::chrono::milliseconds;

/// A 500 is repeated this often: the engine says it for what will not change,
/// but also for races with its own work.
constexpr unsigned k_tries_after_500 = 3;

/// Retry-After in seconds; the form with a date is not used by engines.
milliseconds retry_after(const net::HttpResponse& response) {
  const std::string_view text = response.header("Retry-After");
  int seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds(std::clamp(seconds, 0, 3600));
}

bool overloaded(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

/// errno values no waiting changes.
bool final(const net::HttpError& error) {
  return error.system_error() == EACCES || error.system_error() == EPERM ||
         error.system_error() == ENAMETOOLONG;
}

bool may_repeat(const net::HttpError& error, Repeat repeat) {
  switch (error.failure()) {
    case net::HttpFailure::cannot_connect:
    case net::HttpFailure::cannot_resolve:
      return !final(error);
    case net::HttpFailure::reset:
    case net::HttpFailure::timeout:
      return repeat != Repeat::never;
    default:
      return false;
  }
}

bool maybe_carried_out(const net::HttpError& error) {
  return error.failure() == net::HttpFailure::reset || error.failure() == net::HttpFailure::timeout;
}

}  // namespace

/// The time one call may take with all its repetitions.
class Caller::Patience {
 public:
  Patience(const EngineOptions& options, bool known)
      : m_backoff(options.backoff),
        m_end(std::chrono::steady_clock::now() +
              (known ? options.patience : options.first_patience)) {}

  /// Waits before the next try; false when there is no time for one.
  bool wait(milliseconds at_least, const std::stop_token& stop) {
    const milliseconds pause =
        std::max(at_least, support::delay(m_backoff, ++m_tries, support::random_unit()));
    if (std::chrono::steady_clock::now() + pause > m_end) return false;
    if (!support::sleep_for(pause, stop)) throw support::Cancelled();
    return true;
  }

 private:
  support::Backoff m_backoff;
  std::chrono::steady_clock::time_point m_end;
  unsigned m_tries = 0;
};

Caller::Caller(EngineAddress address, std::unique_ptr<net::HttpClient> http, EngineOptions options)
    : m_address(std::move(address)), m_http(std::move(http)), m_options(std::move(options)) {
  if (m_options.on_call) m_http = net::make_traced_client(std::move(m_http), m_options.on_call);
}

EngineAnswer Caller::call(EngineCall call, const std::stop_token& stop) {
  call.request.target = "/v" + to_string(negotiate(stop)) + call.request.target;
  return send(call, stop);
}

EngineAnswer Caller::send(EngineCall& call, const std::stop_token& stop) {
  Patience patience(m_options, m_known);
  bool maybe_done = false;
  unsigned errors = 0;
  while (true) {
    milliseconds pause{0};
    try {
      net::HttpResponse response = m_http->send(call.request, stop);
      m_known = true;
      const int status = response.status;
      if (status < 300)
        return {.status = status, .response = std::move(response), .maybe_done_before = maybe_done};
      const Complaint complaint =
          status < 400 ? Complaint{.status = status, .text = "status " + std::to_string(status)}
                       : read_complaint(status, response.body);
      if (std::ranges::find(call.accept, complaint.status) != call.accept.end())
        return {.status = complaint.status,
                .response = std::move(response),
                .maybe_done_before = maybe_done};
      const bool again = (overloaded(complaint.status) && call.repeat != Repeat::never) ||
                         (complaint.status == 500 && call.repeat == Repeat::always &&
                          ++errors < k_tries_after_500);
      pause = retry_after(response);
      if (!again || !patience.wait(pause, stop))
        throw refused(m_address, call.name, complaint, maybe_done);
    } catch (const net::HttpError& error) {
      if (!may_repeat(error, call.repeat) || !patience.wait(pause, stop))
        throw unreachable(m_address, call.name, error, m_known);
      maybe_done = maybe_done || maybe_carried_out(error);
    }
  }
}

std::unique_ptr<net::DuplexStream> Caller::hijack(EngineCall call,
                                                  std::chrono::steady_clock::time_point deadline,
                                                  const std::stop_token& stop) {
  call.request.target = "/v" + to_string(negotiate(stop)) + call.request.target;
  try {
    net::Upgraded upgraded = m_http->upgrade(call.request, deadline, stop);
    if (upgraded.stream) return std::move(upgraded.stream);
    throw refused(m_address, call.name,
                  read_complaint(upgraded.response.status, upgraded.response.body));
  } catch (const net::HttpError& error) {
    throw unreachable(m_address, call.name, error, m_known);
  }
}

ApiVersion Caller::negotiate(const std::stop_token& stop) {
  const std::lock_guard lock(m_mutex);
  if (!m_version) {
    EngineCall ping{.name = "ping", .request = {.target = "/_ping"}};
    ping.request.silence_timeout = std::chrono::seconds(30);
    m_version = agreed(send(ping, stop).response);
  }
  return *m_version;
}

ApiVersion Caller::agreed(const net::HttpResponse& response) const {
  const std::string where = "docker engine at " + m_address.host + ": ping: ";
  const std::string words(response.header("Api-Version"));
  if (words.empty())
    throw support::OperatorError(where + "the answer names no API version",
                                 "does a Docker engine listen at this address?");
  const auto theirs = parse_api_version(words);
  if (!theirs)
    throw support::OperatorError(
        where + "API version '" + support::one_line(words, 40) + "' makes no sense",
        "does a Docker engine listen at this address?");
  if (*theirs < k_lowest_api) {
    throw support::OperatorError(
        where + "its API version is " + words + ", Berth needs " + to_string(k_lowest_api),
        "Docker 20.10 and Podman 4 are the oldest engines that will do");
  }
  return std::min(*theirs, k_highest_api);
}

net::HttpRequest json_request(std::string method, std::string target, std::string body) {
  return {.method = std::move(method),
          .target = std::move(target),
          .headers = {{"Content-Type", "application/json"}},
          .body = std::move(body)};
}

std::string label_query(const LabelFilter& labels) {
  if (labels.empty()) return {};
  return "filters=" + net::percent_encode(nlohmann::json{{"label", labels}}.dump());
}

}  // namespace berth::docker
