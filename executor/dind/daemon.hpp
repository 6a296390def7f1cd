#pragma once

#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/dind/recognition.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// How a daemon among the services is started, and how the job's clients find it.
/// Pure. Of docker-library's image: dockerd-entrypoint.sh listens on 2376 with TLS
/// where DOCKER_TLS_CERTDIR is not empty, else on 2375, and adds arguments that
/// begin with a dash; with `dockerd` as its first argument it adds nothing.
namespace berth::dind {

inline constexpr std::uint16_t k_plain_port = 2375;
inline constexpr std::uint16_t k_tls_port = 2376;
inline constexpr std::string_view k_default_cert_dir = "/certs";

enum class Mode {
  /// TLS with our certificates.
  tls,
  plain,
  /// Its own words say something else: TLS with certificates of its own, or no
  /// TCP port (then `port` is 0).
  own,
};

/// What the job's network asks of the daemon's own networks.
struct NetworkNeeds {
  /// 0: nothing is known.
  int mtu = 0;
  /// Name servers that the daemon's containers can reach; empty: those it finds.
  std::vector<std::string> dns{};
};

struct Daemon {
  Mode mode = Mode::own;
  /// 0: not by TCP.
  std::uint16_t port = 0;
  /// Where the certificates are, in server/ and client/: in TLS mode.
  std::string cert_dir{};
  /// Set in its environment whatever the job says.
  std::vector<std::pair<std::string, std::string>> environment{};
  /// In place of the service's `command`; empty: leave it.
  Words command{};
  bool operator==(const Daemon&) const = default;
};

/// `docker_host`: the job's DOCKER_HOST, or empty.
Daemon plan_daemon(const ServiceFacts& service, std::string_view docker_host,
                   const NetworkNeeds& network);

/// Where it keeps its layers.
std::string data_root(const ServiceFacts& service);

/// The port of "tcp://docker:2375" and the like; 0 for any other text.
std::uint16_t port_of(std::string_view docker_host);

/// What the build container is given beside its own environment so that a client
/// finds the daemon: DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, each only
/// where the job did not set it. `host`: the name the daemon answers to.
std::vector<std::pair<std::string, std::string>> client_environment(const Daemon& daemon,
                                                                    std::string_view host,
                                                                    const core::Variables& job);

/// A line for the job log where DOCKER_HOST names a port that this daemon does
/// not listen on; else empty.
std::string mismatch(const Daemon& daemon, std::string_view image, std::string_view docker_host);

/// The name clients look for.
inline constexpr std::string_view k_docker_name = "docker";

/// What the daemon that is service `index` is called by the job's clients: "docker",
/// unless that is another service's alias; then its own last one.
std::string name_of_daemon(const std::vector<core::ServiceSpec>& services, std::size_t index);

/// Every name and address a client may use for the job's daemons: for certificates.
std::vector<std::string> certificate_names(const std::vector<core::ServiceSpec>& services);

/// The likely cause of a daemon's end, out of its last lines, as one line; empty
/// where they say nothing known.
std::string cause_of_end(std::string_view log);
/// Words about a daemon's end, its last lines among them, and the likely cause as a
/// line behind them.
std::string with_cause(std::string words);
/// The same of a daemon that ended while a script ran; `how`: how it ended, and its last lines.
std::string ended_words(std::string_view image, const std::string& how);

}  // namespace berth::dind
