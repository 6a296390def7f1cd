#include "executor/dind/await.hpp"

#include "executor/dind/daemon.hpp"
#include "executor/sandbox/container_end.hpp"
#include "executor/sandbox/service_wait.hpp"
#include "executor/support/error.hpp"
#include "executor/support/retry.hpp"

#include <fmt/format.h>

namespace berth::dind {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How long the agent tries before we look whether the daemon still lives.
constexpr const char* k_dial_seconds = "1";
constexpr milliseconds k_connect_slack{10'000};
constexpr support::Backoff k_backoff{.first = milliseconds(50), .max = milliseconds(500)};

}  // namespace

bool await_daemon(const AwaitedDaemon& daemon, milliseconds limit, support::Console& console,
                  std::stop_token stop) {
  const Clock::time_point until = Clock::now() + limit;
  const auto transport = daemon.dial({daemon.address, std::to_string(daemon.port), k_dial_seconds});
  std::optional<std::string> end;
  const auto lives = [&] {
    if (!end) end = daemon.ended();
    return !end;
  };
  std::string why = "no answer in time";
  for (unsigned attempt = 1;; ++attempt) {
    try {
      const auto stream = transport->connect(Clock::now() + k_connect_slack, stop);
      const auto failure = ping(*stream, daemon.target, until, lives, stop);
      if (!failure) {
        console.line(fmt::format("Docker daemon of service '{}' is ready ({})", daemon.image,
                                 daemon.target.certificates == nullptr ? "without TLS" : "TLS"));
        return true;
      }
      why = *failure;
    } catch (const agentlink::ConnectError& error) {
      why = error.what();
    }
    if (!lives()) {
      sandbox::warn_of_ended_service(daemon.image, with_cause(*end), console);
      return false;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
    if (left.count() <= 0) break;
    const auto pause = support::delay(k_backoff, attempt, support::random_unit());
    if (!support::sleep_for(std::min(pause, left), stop)) throw support::Cancelled();
  }
  console.warning(fmt::format(
      "the Docker daemon of service '{}' did not answer on port {} within {} s: {}; the job goes "
      "on{}",
      daemon.image, daemon.port, std::chrono::duration_cast<std::chrono::seconds>(limit).count(),
      why, with_cause(sandbox::quote_log(daemon.log()))));
  return false;
}

}  // namespace berth::dind
