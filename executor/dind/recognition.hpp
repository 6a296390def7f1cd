#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Which services are Docker daemons. Pure.
namespace berth::dind {

using Words = std::vector<std::string>;

/// What an image's configuration says; only a Docker engine tells it.
struct ImageConfig {
  Words entrypoint{};
  Words command{};
  /// KEY=value
  Words environment{};
  /// "2376/tcp"
  Words exposed_ports{};
};

/// A service as it is about to be started.
struct ServiceFacts {
  /// As the job's author wrote it.
  std::string image{};
  /// Of `services:`; empty: the image's. [""] takes the image's away.
  Words entrypoint{};
  Words command{};
  /// KEY=value, without the image's; the last definition of a key counts.
  Words environment{};
  /// Nothing: a cluster does not tell.
  std::optional<ImageConfig> config{};
};

/// Whether it will run a Docker daemon: by the image's configuration (entrypoint
/// dockerd-entrypoint.sh, or DOCKER_TLS_CERTDIR with port 2376) where that is
/// known, else by the image's name (docker:<...>dind, dind); by its own entrypoint
/// or command in any case. Its alias says nothing.
bool is_daemon(const ServiceFacts& service);

/// What docker-library's image of that name does by itself; other images that are
/// known by their name alone may have other entrypoints.
bool is_official_name(std::string_view image);

/// All words of entrypoint and command, those of `sh -c` texts too.
Words own_words(const ServiceFacts& service);

/// "dockerd" or "dockerd-entrypoint.sh" and the like, with or without a path.
bool names_daemon(std::string_view word);

/// The value of a key in KEY=value pairs, the last one; nothing where it is not there.
std::optional<std::string> value_in(const Words& environment, std::string_view key);

}  // namespace berth::dind
