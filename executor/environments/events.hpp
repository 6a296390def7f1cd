#pragma once

#include "executor/environments/deployment.hpp"
#include "executor/settings/environments.hpp"
#include "executor/support/console.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace berth::net {
class HttpClient;
}

/// Telling others of each change: a line of JSON in a file, and one webhook.
namespace berth::environments {

enum class EventType {
  refused,  ///< a rule was in the way: `rule` and `text` say which and why
  waiting,  ///< a deployment waits for the lock of another
  started,  ///< it has the lock and begins
  succeeded,
  failed,
  canceled,
  lost,        ///< its driver was killed
  lock_ended,  ///< a dead holder's lock was taken away
  locked,      ///< by hand
  unlocked,    ///< by hand
  approved,
};

std::string_view to_string(EventType type);

struct Event {
  EventType type = EventType::started;
  /// Seconds since the epoch.
  std::int64_t at = 0;
  /// Environment, who and what; all that is known.
  Deployment deployment{};
  /// Of a refusal.
  std::string rule{};
  /// One line for people.
  std::string text{};
};

/// Event of a deployment that has ended.
EventType type_of(Result result);

/// One line of JSON without its end: {"event", "at", "environment", "text", "rule",
/// "deployment": {...}}, without manifests. Pure.
std::string to_line(const Event& event);

/// Tells events. Nothing that goes wrong here may fail a job: it is a warning.
class Events {
 public:
  virtual ~Events() = default;
  virtual void tell(const Event& event) = 0;
};

struct EventOptions {
  settings::EventTargets targets{};
  /// Waits between tries of the webhook: three tries.
  std::chrono::milliseconds first_wait{500};
  /// How long one try may take.
  std::chrono::seconds try_limit{5};
};

/// `console` and `stop` end waits and hear warnings; `console` must outlive it. A webhook
/// is tried again where no answer came, and after 408, 429 and 5xx. The token's file is
/// read at each event, so that it can be exchanged.
std::unique_ptr<Events> make_events(EventOptions options, support::Console& console,
                                    std::stop_token stop);

}  // namespace berth::environments
