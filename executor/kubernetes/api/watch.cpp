#include "executor/kubernetes/api/watch.hpp"

#include "executor/kubernetes/api/caller.hpp"
#include "executor/kubernetes/api/failures.hpp"
#include "executor/kubernetes/api/watch_stream.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace berth::kubernetes {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

/// An object of Kubernetes is at most some MiB (etcd takes 1.5).
constexpr std::size_t k_max_line = std::size_t{16} << 20;

std::string word(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const json& metadata_of(const json& object) {
  static const json k_none = json::object();
  const auto found = object.find("metadata");
  return found != object.end() && found->is_object() ? *found : k_none;
}

class Follower {
 public:
  Follower(Client& client, const WatchQuery& query, const OnWatchEvent& on_event,
           steady_clock::time_point deadline, std::stop_token stop)
      : m_caller(client.impl().caller),
        m_client(client),
        m_query(query),
        m_on_event(on_event),
        m_deadline(deadline),
        m_stop(std::move(stop)),
        m_version(query.resource_version),
        m_patience(client.options()) {}

  WatchEnd run() {
    if (m_version.empty() && m_query.read_first && !read_state()) return WatchEnd::enough;
    while (steady_clock::now() < m_deadline) {
      if (m_stop.stop_requested()) throw support::Cancelled();
      if (m_relist) {
        m_relist = false;
        if (!read_state()) return WatchEnd::enough;
      }
      if (!follow()) return WatchEnd::enough;
    }
    return WatchEnd::deadline;
  }

 private:
  using Kind = WatchEvent::Kind;

  /// Reads what is there now, and tells what is new in it. False: seen enough.
  bool read_state() {
    if (!m_query.name.empty()) {
      std::optional<json> object =
          m_client.find(m_query.resource, m_query.name_space, m_query.name, m_stop);
      if (object) {
        m_version = word(metadata_of(*object), "resourceVersion");
        json items = json::array();
        items.push_back(std::move(*object));
        return tell_state(items);
      }
      // Nothing there: from any version on is right, and "0" is one.
      m_version = "0";
      // Who gave a version has seen the object.
      if (m_known.empty() && !m_query.resource_version.empty() && !m_told_gone) {
        m_told_gone = true;
        return tell_deleted(m_query.name_space + "/" + m_query.name, {}) && tell_whole();
      }
      return tell_state(json::array());
    }
    json list = m_client.list(m_query.resource, m_query.name_space, m_query.selectors, m_stop);
    m_version = word(metadata_of(list), "resourceVersion");
    return tell_state(list["items"]);
  }

  bool tell_state(const json& items) {
    std::set<std::string> present;
    for (const json& item : items) present.insert(key_of(item));
    // Those that went first, so that a name is free before another takes it.
    const std::map<std::string, std::string> before = m_known;
    for (const auto& [key, uid] : before) {
      const auto same = std::ranges::find_if(items, [&key = key, &uid = uid](const json& item) {
        return key_of(item) == key && word(metadata_of(item), "uid") == uid;
      });
      if (same == items.end() && !tell_deleted(key, uid)) return false;
    }
    for (const json& item : items) {
      const bool known = m_known.contains(key_of(item));
      if (!tell(known ? Kind::modified : Kind::added, item)) return false;
    }
    return tell_whole();
  }

  bool tell_whole() const {
    if (m_query.on_state) m_query.on_state();
    return true;
  }

  bool tell_deleted(const std::string& key, const std::string& uid) {
    const std::size_t slash = key.find('/');
    const json object = {
        {"metadata",
         {{"namespace", key.substr(0, slash)}, {"name", key.substr(slash + 1)}, {"uid", uid}}}};
    return tell(Kind::deleted, object);
  }

  bool tell(Kind kind, const json& object) {
    m_told_gone = kind == Kind::deleted;
    if (kind == Kind::deleted)
      m_known.erase(key_of(object));
    else
      m_known[key_of(object)] = word(metadata_of(object), "uid");
    return m_on_event({.kind = kind, .object = object});
  }

  static std::string key_of(const json& object) {
    const json& metadata = metadata_of(object);
    return word(metadata, "namespace") + "/" + word(metadata, "name");
  }

  ApiCall watch_call() const {
    const auto left =
        std::chrono::ceil<std::chrono::seconds>(m_deadline - steady_clock::now()).count();
    // Servers end watches on their own; this spreads the ends of many.
    const auto wanted = static_cast<std::int64_t>(300 + support::random_unit() * 300);
    std::string field = m_query.selectors.field;
    if (!m_query.name.empty()) field = "metadata.name=" + m_query.name;
    ApiCall call{.name = call_name("watch", m_query.resource, m_query.name_space, m_query.name)};
    call.request.target =
        object_path(m_query.resource, m_query.name_space, {}) +
        query({{"watch", "true"},
               {"allowWatchBookmarks", "true"},
               {"resourceVersion", m_version},
               {"fieldSelector", field},
               {"labelSelector", m_query.selectors.label},
               {"timeoutSeconds", std::to_string(std::clamp<std::int64_t>(left, 1, wanted))}});
    call.request.headers.push_back({"Accept", "application/json"});
    // Bookmarks come about once a minute, but nothing promises them.
    call.request.silence_timeout = std::chrono::seconds(200);
    call.request.deadline = m_deadline;
    return call;
  }

  /// One connection. False: seen enough.
  bool follow() {
    bool enough = false;
    bool heard = false;
    LineSplitter lines;
    ApiCall call = watch_call();
    call.request.on_body = [&](std::string_view bytes) {
      if (!heard) m_patience.succeeded();
      heard = true;
      const bool go_on = lines.feed(bytes, [&](std::string_view line) {
        if (on_line(line, call.name)) return !m_relist;
        enough = true;
        return false;
      });
      if (lines.pending() > k_max_line)
        throw support::SystemError("the API server's answer to: " + call.name +
                                   ": an event larger than any object");
      return go_on;
    };
    const auto start = steady_clock::now();
    try {
      m_caller.once(call, m_stop);
      if (enough) return false;
      // A server that ends each watch at once is not asked without end.
      if (!m_relist && !heard) pause(call.name + ": the watch ended without a word");
    } catch (const ApiError& error) {
      on_refusal(error, call.name);
    } catch (const net::HttpError& error) {
      if (steady_clock::now() >= m_deadline) return true;
      on_cut(error, call.name, heard);
    }
    if (heard && !m_relist) breathe(steady_clock::now() - start);
    return true;
  }

  /// False: seen enough.
  bool on_line(std::string_view line, const std::string& name) {
    const json event = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!event.is_object() || !event.contains("object") || !event["object"].is_object())
      throw support::SystemError("the API server's answer to: " + name + ": is no watch event");
    const std::string type = word(event, "type");
    const json& object = event["object"];
    if (type == "ERROR") {
      on_refusal(refused(m_caller.connection(), name, read_status(0, object)), name);
      m_relist = true;
      return true;
    }
    if (const std::string version = word(metadata_of(object), "resourceVersion"); !version.empty())
      m_version = version;
    if (type == "ADDED") return tell(Kind::added, object);
    if (type == "MODIFIED") return tell(Kind::modified, object);
    if (type == "DELETED") return tell(Kind::deleted, object);
    return true;  // BOOKMARK, and what may come one day
  }

  void on_refusal(const ApiError& error, const std::string& name) {
    const int code = error.code();
    if (error.gone() || error.reason() == "Expired") {
      m_relist = true;
      return;
    }
    if (code != 429 && code < 500) throw refused(m_caller.connection(), name, error.status());
    const bool inner = code == 500;
    if (!m_patience.wait(inner ? Patience::Trouble::inner_error : Patience::Trouble::away,
                         error.status().retry_after.value_or(std::chrono::seconds(0)), error.what(),
                         m_stop))
      throw refused(m_caller.connection(), name, error.status());
  }

  void on_cut(const net::HttpError& error, const std::string& name, bool heard) {
    const bool heals = error.failure() == net::HttpFailure::reset ||
                       error.failure() == net::HttpFailure::timeout ||
                       error.failure() == net::HttpFailure::cannot_connect ||
                       error.failure() == net::HttpFailure::cannot_resolve;
    // A connection that worked and was cut is opened again at once.
    if (heard && heals) return;
    if (!heals ||
        !m_patience.wait(Patience::Trouble::away, std::chrono::milliseconds(0),
                         unreachable(m_caller.connection(), name, error, false).what(), m_stop))
      throw unreachable(m_caller.connection(), name, error, heals);
  }

  /// A connection that worked is opened again at once; one that never lasts, with
  /// ever longer pauses, up to half a second.
  void breathe(steady_clock::duration lasted) {
    constexpr unsigned k_most = 3;
    m_short = lasted < std::chrono::seconds(1) ? std::min(m_short + 1, k_most) : 0;
    if (m_short < 2) return;
    const auto wait = support::delay(m_caller.options().backoff, m_short, support::random_unit());
    if (!support::sleep_for(wait, m_stop)) throw support::Cancelled();
  }

  void pause(const std::string& words) {
    if (!m_patience.wait(Patience::Trouble::away, std::chrono::milliseconds(0), words, m_stop))
      throw ApiUnreachable(support::Fault::infrastructure, m_caller.describe() + ": " + words);
  }

  Caller& m_caller;
  Client& m_client;
  const WatchQuery& m_query;
  const OnWatchEvent& m_on_event;
  const steady_clock::time_point m_deadline;
  const std::stop_token m_stop;
  std::string m_version;
  bool m_relist = false;
  bool m_told_gone = false;
  /// Connections in a row that ended within a second.
  unsigned m_short = 0;
  /// namespace/name -> uid of what was told last.
  std::map<std::string, std::string> m_known;
  Patience m_patience;
};

}  // namespace

bool LineSplitter::feed(std::string_view bytes,
                        const std::function<bool(std::string_view)>& on_line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    m_line.append(bytes.substr(0, end));
    if (end == std::string_view::npos) return true;
    bytes.remove_prefix(end + 1);
    const std::string line = std::exchange(m_line, {});
    if (line.find_first_not_of(" \t\r") != std::string::npos && !on_line(line)) return false;
  }
  return true;
}

WatchEnd watch(Client& client, const WatchQuery& query, const OnWatchEvent& on_event,
               steady_clock::time_point deadline, std::stop_token stop) {
  return Follower(client, query, on_event, deadline, std::move(stop)).run();
}

}  // namespace berth::kubernetes
