#pragma once

#include "executor/docker/engine/address.hpp"
#include "executor/docker/engine/engine_error.hpp"
#include "executor/docker/engine/objects.hpp"
#include "executor/net/http.hpp"
#include "executor/support/retry.hpp"
#include "executor/support/secret.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace berth::docker {

struct EngineOptions {
  /// How long calls that may be repeated are repeated once the engine has
  /// answered before: it is being restarted, or the network is away.
  std::chrono::milliseconds patience{std::chrono::minutes{5}};
  /// The same before its first answer.
  std::chrono::milliseconds first_patience{2000};
  /// Waits between tries.
  support::Backoff backoff{std::chrono::milliseconds{50}, std::chrono::milliseconds{2000}};
  /// Told of every call; may be empty. Called from the calling threads.
  std::function<void(const net::HttpCall&)> on_call{};
};

enum class Removal { removed, absent, in_progress };

/// Options of POST /containers/{id}/exec.
struct ExecSpec {
  std::vector<std::string> cmd{};
  std::string user{};
  std::vector<std::string> env{};
  bool attach_stdin = true;
};

struct PullRequest {
  /// As a user writes it; without tag and digest it means `latest`.
  std::string image{};
  /// "linux/arm64"; empty: the engine's own.
  std::string platform{};
  /// Value of X-Registry-Auth; empty: anonymous.
  support::Secret registry_auth{};
};

/// One line of the engine's report on a pull.
struct PullProgress {
  /// Layer, where the line is about one.
  std::string id{};
  std::string status{};
  std::int64_t current = 0;
  std::int64_t total = 0;
};

/// Labels as "key" or "key=value"; all must match.
using LabelFilter = std::vector<std::string>;

/// The Docker Engine API, typed: one method per call, one object per engine.
/// Thread-safe. The API version is agreed on with the first call: the lower of
/// the engine's and 1.47; an engine below 1.41 is refused.
///
/// Every method throws EngineError (it said no), EngineUnreachable (no answer),
/// support::SystemError (an answer that makes no sense) and support::Cancelled.
/// Calls that are harmless to repeat are repeated after resets and 5xx answers
/// within EngineOptions; 429 and 503 with the delay the engine asks for.
/// "Is it there" questions answer with a value, not an exception.
class Engine {
 public:
  explicit Engine(EngineAddress address, EngineOptions options = {});
  /// For tests and other transports.
  Engine(EngineAddress address, std::unique_ptr<net::HttpClient> http, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const EngineAddress& address() const noexcept;
  /// "docker engine at unix:///var/run/docker.sock"
  std::string describe() const;

  // --- the engine ----------------------------------------------------------
  /// Agrees on the version (one GET /_ping; later calls cost nothing) and
  /// returns it: "1.41".
  std::string negotiate(std::stop_token stop);
  /// True when the agreed version is at least major.minor.
  bool api_at_least(int major, int minor, std::stop_token stop);
  EngineVersion version(std::stop_token stop);
  EngineInfo info(std::stop_token stop);

  // --- images --------------------------------------------------------------
  std::optional<ImageInfo> find_image(const std::string& image, std::stop_token stop);
  /// One try; reads the engine's report to its end. Throws PullError.
  void pull_image(const PullRequest& request,
                  const std::function<void(const PullProgress&)>& on_progress,
                  std::stop_token stop);

  // --- containers ----------------------------------------------------------
  /// Returns the id. Where the answer to the first try was lost, a container of
  /// that name that carries all labels of `body` is taken for the one created.
  std::string create_container(const std::string& name, const nlohmann::json& body,
                               const std::string& platform, std::stop_token stop);
  /// False: it was running already.
  bool start_container(const std::string& id, std::stop_token stop);
  /// False: it does not run, or is gone.
  bool kill_container(const std::string& id, const std::string& signal, std::stop_token stop);
  /// Ends it where it runs, and removes it with its anonymous volumes.
  Removal remove_container(const std::string& id, std::stop_token stop);
  std::optional<ContainerInfo> find_container(const std::string& id, std::stop_token stop);
  std::vector<ContainerSummary> list_containers(const LabelFilter& labels, std::stop_token stop);
  /// The last `tail` lines of both streams as they came, at most max_bytes of
  /// their end.
  std::string container_logs(const std::string& id, unsigned tail, std::size_t max_bytes,
                             std::stop_token stop);
  /// Waits until it does not run; its exit code. Ends with Cancelled on stop.
  int wait_container(const std::string& id, std::stop_token stop);

  // --- files ---------------------------------------------------------------
  /// Unpacks a tar archive in an existing directory of the container, also
  /// before it was started and into mounted volumes.
  void put_archive(const std::string& id, const std::string& directory, std::string tar,
                   std::stop_token stop);
  std::optional<PathStat> stat_path(const std::string& id, const std::string& path,
                                    std::stop_token stop);
  /// A tar archive of the file or directory, at most max_bytes.
  std::optional<std::string> get_archive(const std::string& id, const std::string& path,
                                         std::size_t max_bytes, std::stop_token stop);

  // --- exec ----------------------------------------------------------------
  std::string create_exec(const std::string& container, const ExecSpec& spec, std::stop_token stop);
  /// Starts it and hands over its connection: what is written goes to its
  /// standard input, what is read are frames (stream_demux.hpp). Never repeated.
  std::unique_ptr<net::DuplexStream> start_exec(const std::string& exec,
                                                std::chrono::steady_clock::time_point deadline,
                                                std::stop_token stop);
  ExecInfo inspect_exec(const std::string& exec, std::stop_token stop);

  // --- networks ------------------------------------------------------------
  /// Returns the id. The engine of API 1.41 can make two networks of one name
  /// when asked at once: hold a lock, and use ids.
  std::string create_network(const nlohmann::json& body, std::stop_token stop);
  Removal remove_network(const std::string& id, std::stop_token stop);
  std::optional<NetworkInfo> find_network(const std::string& id, std::stop_token stop);
  std::vector<NetworkInfo> list_networks(const LabelFilter& labels, std::stop_token stop);

  // --- volumes -------------------------------------------------------------
  /// Of an existing name, the existing volume is returned: check its labels.
  VolumeInfo create_volume(const nlohmann::json& body, std::stop_token stop);
  /// Throws EngineError 409 while a container uses it.
  Removal remove_volume(const std::string& name, std::stop_token stop);
  std::optional<VolumeInfo> find_volume(const std::string& name, std::stop_token stop);
  std::vector<VolumeInfo> list_volumes(const LabelFilter& labels, std::stop_token stop);
  /// Those that no container names, be it one that has ended.
  std::vector<VolumeInfo> list_unused_volumes(const LabelFilter& labels, std::stop_token stop);

 private:
  class Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace berth::docker
