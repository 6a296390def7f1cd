#include "executor/sandbox/readiness.hpp"

#include "executor/core/image_ref.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace berth::sandbox {
namespace {

constexpr std::string_view k_port_variable = "HEALTHCHECK_TCP_PORT=";
constexpr std::size_t k_most_ports = 20;

struct KnownPort {
  std::string_view image;
  std::uint16_t port;
};

/// By the last part of the image's path: the port its clients use, of images
/// that expose several or open an administrative one first.
constexpr std::array k_known_ports = {
    KnownPort{"postgres", 5432},
    KnownPort{"postgis", 5432},
    KnownPort{"mysql", 3306},
    KnownPort{"mariadb", 3306},
    KnownPort{"percona", 3306},
    KnownPort{"redis", 6379},
    KnownPort{"valkey", 6379},
    KnownPort{"mongo", 27017},
    KnownPort{"rabbitmq", 5672},
    KnownPort{"elasticsearch", 9200},
    KnownPort{"opensearch", 9200},
    KnownPort{"memcached", 11211},
    KnownPort{"cassandra", 9042},
    KnownPort{"neo4j", 7687},
    KnownPort{"influxdb", 8086},
    KnownPort{"clickhouse-server", 8123},
    KnownPort{"nats", 4222},
    KnownPort{"zookeeper", 2181},
    KnownPort{"couchdb", 5984},
    KnownPort{"minio", 9000},
    KnownPort{"vault", 8200},
    KnownPort{"consul", 8500},
    KnownPort{"cockroach", 26257},
    KnownPort{"localstack", 4566},
    KnownPort{"standalone-chrome", 4444},
    KnownPort{"standalone-firefox", 4444},
};

std::optional<std::uint16_t> configured_port(const std::vector<std::string>& environment) {
  std::optional<std::uint16_t> port;
  for (std::string_view pair : environment) {
    if (!pair.starts_with(k_port_variable)) continue;
    const std::string_view value = pair.substr(k_port_variable.size());
    std::uint16_t number = 0;
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, number);
    port =
        error == std::errc() && stop == end && number != 0 ? std::optional(number) : std::nullopt;
  }
  return port;
}

std::optional<std::uint16_t> known_port(std::string_view image) {
  const std::string path = core::parse_image_ref(image).repository;
  const std::string_view last = std::string_view(path).substr(path.find_last_of('/') + 1);
  for (const KnownPort& known : k_known_ports) {
    if (known.image == last) return known.port;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::uint16_t> readiness_ports(std::string_view image,
                                           const std::vector<std::string>& environment,
                                           std::vector<std::uint16_t> exposed) {
  if (const auto port = configured_port(environment)) return {*port};
  std::sort(exposed.begin(), exposed.end());
  if (const auto port = known_port(image)) {
    if (exposed.empty() || std::binary_search(exposed.begin(), exposed.end(), *port)) {
      return {*port};
    }
  }
  if (exposed.size() > k_most_ports) exposed.resize(k_most_ports);
  return exposed;
}

}  // namespace berth::sandbox
