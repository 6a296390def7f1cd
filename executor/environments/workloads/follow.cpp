#include "executor/environments/workloads/follow.hpp"

#include "executor/environments/workloads/json_reading.hpp"
#include "executor/kubernetes/api/watch.hpp"
#include "executor/support/retry.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <utility>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;
using What = Follow::News::What;

constexpr std::chrono::milliseconds k_poll{2000};

const kubernetes::Resource& resource_of(Seen kind) {
  static const kubernetes::Resource k_replica_sets{
      .group = "apps", .plural = "replicasets", .singular = "replica set"};
  switch (kind) {
    case Seen::replica_set:
      return k_replica_sets;
    case Seen::pod:
      return kubernetes::resources::k_pods;
    case Seen::event:
      return kubernetes::resources::k_events;
    default:
      return workloads::resource_of(k_kinds.at(static_cast<std::size_t>(kind)));
  }
}

std::string uid_of(const json& object) {
  return word(member(object, "metadata"), "uid");
}

std::string name_of(const json& object) {
  return word(member(object, "metadata"), "name");
}

}  // namespace

Follow::News::News(What news, Seen seen, std::unique_ptr<json> about, std::string words)
    : what(news), kind(seen), object(std::move(about)), text(std::move(words)) {}
Follow::News::News(News&&) noexcept = default;
Follow::News::~News() = default;

Follow::Follow(kubernetes::Client& client, std::string name_space, const std::set<Seen>& kinds)
    : m_client(client), m_name_space(std::move(name_space)) {
  for (const Seen kind : kinds)
    m_threads.emplace_back([this, kind](const std::stop_token& stop) { follow(kind, stop); });
}

void Follow::tell(News news) {
  const std::lock_guard lock(m_mutex);
  m_news.push_back(std::move(news));
  m_changed.notify_all();
}

void Follow::follow(Seen kind, const std::stop_token& stop) {
  try {
    std::map<std::string, json> known;  // no more of them than the polls must know
    try {
      const kubernetes::WatchQuery query{
          .resource = resource_of(kind), .name_space = m_name_space, .on_state = [&] {
            tell({What::listed, kind, nullptr, {}});
          }};
      const kubernetes::OnWatchEvent on_event = [&](const kubernetes::WatchEvent& event) {
        const bool gone = event.kind == kubernetes::WatchEvent::Kind::deleted;
        const std::string uid = uid_of(event.object);
        if (gone) {
          known.erase(uid);
        } else if (!known.contains(uid)) {
          known[uid] = {{"metadata", {{"name", name_of(event.object)}, {"uid", uid}}}};
        }
        tell({gone ? What::gone : What::seen, kind, std::make_unique<json>(event.object), {}});
        return true;
      };
      while (!stop.stop_requested()) {
        kubernetes::watch(m_client, query, on_event, std::chrono::steady_clock::time_point::max(),
                          stop);
      }
    } catch (const kubernetes::ApiError& error) {
      if (!error.forbidden()) throw;
      poll(kind, std::move(known), stop);
    }
  } catch (const support::Cancelled&) {
    // The destructor's doing.
  } catch (...) {
    const std::lock_guard lock(m_mutex);
    m_failure = std::current_exception();
    m_changed.notify_all();
  }
}

void Follow::poll(Seen kind, std::map<std::string, json> known, const std::stop_token& stop) {
  do {
    std::map<std::string, json> now;
    try {
      json list = m_client.list(resource_of(kind), m_name_space, {}, stop);
      for (json& object : list.at("items")) {
        const std::string uid = uid_of(object);
        now.emplace(uid, std::move(object));
      }
    } catch (const kubernetes::ApiError& error) {
      if (!error.forbidden()) throw;
      tell({What::forbidden, kind, nullptr, error.server_text()});
      return;
    }
    for (const auto& [uid, object] : known) {
      if (!now.contains(uid)) tell({What::gone, kind, std::make_unique<json>(object), {}});
    }
    for (const auto& [uid, object] : now) {
      const auto before = known.find(uid);
      if (before == known.end() || before->second != object)
        tell({What::seen, kind, std::make_unique<json>(object), {}});
    }
    tell({What::listed, kind, nullptr, {}});
    known = std::move(now);
  } while (support::sleep_for(k_poll, stop));
}

std::deque<Follow::News> Follow::next(std::chrono::steady_clock::time_point deadline,
                                      std::stop_token stop) {
  std::unique_lock lock(m_mutex);
  m_changed.wait_until(lock, stop, deadline, [this] { return !m_news.empty() || m_failure; });
  if (stop.stop_requested()) throw support::Cancelled();
  if (m_news.empty() && m_failure) std::rethrow_exception(m_failure);
  return std::exchange(m_news, {});
}

}  // namespace berth::environments::workloads
