#pragma once

#include "executor/kubernetes/api/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace berth::kubernetes {

/// What to watch: one object by name, or those that match the selectors.
struct WatchQuery {
  Resource resource{};
  std::string name_space{};
  /// With it, rights to get and watch are enough; else list is needed too.
  std::string name{};
  Selectors selectors{};
  /// Events after this version only: metadata.resourceVersion of a create's reply
  /// or a list. "": the present state comes first, as `added`.
  std::string resource_version{};
  /// False: the watch itself tells the present state, which saves a request. That
  /// nothing is there is not told then.
  bool read_first = true;
  /// Called when the present state that was read has been told whole, on the calling
  /// thread: after the first reading, and after each later one. May be empty.
  std::function<void()> on_state{};
};

struct WatchEvent {
  enum class Kind { added, modified, deleted };
  Kind kind = Kind::added;
  /// The object as it is now; of a deleted one its last state, or (when it went
  /// while the connection was away) only metadata.name, namespace and uid.
  const nlohmann::json& object;
};

/// False: seen enough.
using OnWatchEvent = std::function<bool(const WatchEvent&)>;

enum class WatchEnd { enough, deadline };

/// Follows the objects until on_event has seen enough or the deadline has come.
/// Events come on the calling thread. A cut connection is resumed where it was;
/// when the server no longer knows that version (410), the present state is read
/// and told as events: `modified` for what is there (`added` if it was unknown or
/// is another object of the same name, after a `deleted`), `deleted` for what is
/// gone. No state is lost; states in between may be. An idle watch costs one
/// request in five to ten minutes.
///
/// Throws as Client's methods do: ApiUnreachable when the server was away for
/// longer than ClientOptions::patience at a stretch. What on_event throws passes.
WatchEnd watch(Client& client, const WatchQuery& query, const OnWatchEvent& on_event,
               std::chrono::steady_clock::time_point deadline, std::stop_token stop);

/// The same as something to ask for the next event, for who has other things to
/// look at between: a thread of its own watches, events wait in a queue.
/// next() is for one thread. The destructor ends the watch at once.
class Watcher {
 public:
  Watcher(Client& client, WatchQuery query);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  struct Event;
  /// Nothing when the deadline has come. Throws what ended the watch, and
  /// support::Cancelled.
  std::optional<Event> next(std::chrono::steady_clock::time_point deadline, std::stop_token stop);

 private:
  class Impl;
  std::unique_ptr<Impl> m_impl;
};

/// An event that owns its object.
struct Watcher::Event {
  Event(WatchEvent::Kind kind, const nlohmann::json& object);
  Event(Event&&) noexcept;
  Event& operator=(Event&&) noexcept;
  ~Event();

  WatchEvent::Kind kind;
  std::unique_ptr<nlohmann::json> object;
};

}  // namespace berth::kubernetes
