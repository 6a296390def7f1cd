#pragma once

#include "executor/environments/workloads/gate.hpp"
#include "executor/kubernetes/api/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace berth::environments::workloads {

/// Follows several kinds of objects of one namespace at once, a thread each: by watches,
/// and where only the right to list is given, by lists every other second.
class Follow {
 public:
  struct News {
    /// `listed`: all that was there at first has been told; it may come again. Each kind
    /// comes to `listed` or `forbidden`, in no order among kinds.
    enum class What { seen, gone, listed, forbidden };
    What what = What::seen;
    Seen kind = Seen::pod;
    /// With `seen` and `gone`; of the latter perhaps only metadata.name and uid.
    std::unique_ptr<nlohmann::json> object{};
    /// With `forbidden`: the server's words. Nothing more comes of that kind.
    std::string text{};

    News(What news, Seen seen, std::unique_ptr<nlohmann::json> about, std::string words);
    News(News&&) noexcept;
    ~News();
  };

  /// `client` outlives it. The destructor ends everything at once.
  Follow(kubernetes::Client& client, std::string name_space, const std::set<Seen>& kinds);

  /// What has come, oldest first; waits for something until the deadline, and then is
  /// empty. Throws what ended a watch (as Client's methods), and support::Cancelled.
  std::deque<News> next(std::chrono::steady_clock::time_point deadline, std::stop_token stop);

 private:
  void follow(Seen kind, const std::stop_token& stop);
  /// `known`: uid -> what has been told so far.
  void poll(Seen kind, std::map<std::string, nlohmann::json> known, const std::stop_token& stop);
  void tell(News news);

  kubernetes::Client& m_client;
  const std::string m_name_space;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::deque<News> m_news;
  std::exception_ptr m_failure;
  std::vector<std::jthread> m_threads;  // last: they end before what they use
};

}  // namespace berth::environments::workloads
