#include "executor/settings/kubernetes_volumes.hpp"

#include "executor/core/volume.hpp"
#include "executor/settings/kubernetes_syntax.hpp"
#include "executor/settings/quantity.hpp"
#include "executor/settings/shared_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

namespace berth::settings {
namespace {

using Kind = KubernetesVolume::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 7> k_kinds{
    {{"host_path", Kind::host_path},
     {"pvc", Kind::pvc},
     {"config_map", Kind::config_map},
     {"secret", Kind::secret},
     {"empty_dir", Kind::empty_dir},
     {"csi", Kind::csi},
     {"nfs", Kind::nfs}}};

bool has_variable(std::string_view text) {
  return text.find('$') != std::string_view::npos;
}

std::string volume_name(const Reader& reader, const Value& value, Kind kind) {
  std::string name = reader.text(value, "name");
  if (kind == Kind::pvc && has_variable(name)) return name;
  if (!is_dns_subdomain(name)) {
    reader.bad_value(value, "name", "lower case letters, digits, dashes and dots");
  }
  return name;
}

/// Absolute, or begins with a variable.
std::string path(const Reader& reader, const Value& value, std::string_view key) {
  std::string text = reader.text(value, key);
  const bool upwards = (text + "/").find("/../") != std::string::npos;
  if (upwards || (!text.starts_with('/') && !text.starts_with('$'))) {
    reader.bad_value(value, key, "an absolute path");
  }
  return text;
}

std::string propagation(const Reader& reader, const Value& value) {
  std::string text = reader.text(value, "mount_propagation");
  if (text != "None" && text != "HostToContainer" && text != "Bidirectional") {
    reader.bad_value(value, "mount_propagation", "None, HostToContainer or Bidirectional");
  }
  return text;
}

KubernetesVolume volume(const Reader& reader, const Value& value, std::string_view list,
                        Kind kind) {
  KubernetesVolume volume{.kind = kind};
  const auto text = [&](std::string_view key, std::string& target) {
    return Reader::Handlers::value_type(
        key, [&reader, key, &target](const Value& v) { target = reader.text(v, key); });
  };
  const auto map = [&](std::string_view key, std::map<std::string, std::string>& target) {
    return Reader::Handlers::value_type(
        key, [&reader, key, &target](const Value& v) { target = read_text_map(reader, v, key); });
  };
  const Reader::Handlers::value_type read_only(
      "read_only", [&](const Value& v) { volume.read_only = reader.boolean(v, "read_only"); });
  const Reader::Handlers::value_type propagates("mount_propagation", [&](const Value& v) {
    volume.mount_propagation = propagation(reader, v);
  });

  Reader::Handlers handlers{
      {"name", [&](const Value& v) { volume.name = volume_name(reader, v, kind); }},
      {"mount_path", [&](const Value& v) { volume.mount_path = path(reader, v, "mount_path"); }},
      text("sub_path", volume.sub_path)};
  switch (kind) {
    case Kind::host_path:
      handlers.insert({read_only, propagates, {"host_path", [&](const Value& v) {
                                                 volume.host_path = path(reader, v, "host_path");
                                               }}});
      break;
    case Kind::pvc:
      handlers.insert({read_only, propagates});
      break;
    case Kind::config_map:
    case Kind::secret:
      handlers.insert({read_only, map("items", volume.items)});
      break;
    case Kind::empty_dir:
      handlers.insert({propagates,
                       text("medium", volume.medium),
                       {"size_limit", [&](const Value& v) {
                          volume.size_limit = reader.text(v, "size_limit");
                          if (!Quantity::parse(volume.size_limit)) {
                            reader.bad_value(v, "size_limit", "a quantity such as 2Gi");
                          }
                        }}});
      break;
    case Kind::csi:
      handlers.insert({read_only, text("driver", volume.driver), text("fs_type", volume.fs_type),
                       map("volume_attributes", volume.volume_attributes)});
      break;
    case Kind::nfs:
      handlers.insert({read_only, text("server", volume.server), text("path", volume.path)});
      break;
  }
  if (value.kind != Value::Kind::map) reader.wrong_type(value, list, "a list of maps");
  reader.map(value, list, handlers);

  const auto require = [&](bool given, std::string_view key) {
    if (!given) {
      reader.fail(value.position, fmt::format("'{}' has an entry without '{}'", list, key));
    }
  };
  require(!volume.name.empty(), "name");
  require(!volume.mount_path.empty(), "mount_path");
  if (kind == Kind::csi) require(!volume.driver.empty(), "driver");
  if (kind == Kind::nfs) require(!volume.server.empty(), "server");
  if (kind == Kind::nfs) require(!volume.path.empty(), "path");
  if (kind == Kind::host_path && volume.host_path.empty()) volume.host_path = volume.mount_path;
  return volume;
}

}  // namespace

bool is_shared(const Kubernetes& settings, std::string_view directory) {
  return std::any_of(settings.volumes.begin(), settings.volumes.end(),
                     [&](const KubernetesVolume& volume) {
                       return volume.kind != Kind::empty_dir &&
                              core::clean_path(volume.mount_path) == core::clean_path(directory);
                     });
}

std::vector<KubernetesVolume> read_kubernetes_volumes(const Reader& reader, const Value& value) {
  std::vector<KubernetesVolume> all;
  std::map<std::string, Kind> kinds;
  std::set<std::string> mounts;
  Reader::Handlers handlers;
  for (const auto& entry : k_kinds) {
    handlers[entry.first] = [&, list = entry.first, kind = entry.second](const Value& v) {
      for (const Value& item : reader.list(v, list)) {
        const KubernetesVolume& one = all.emplace_back(volume(reader, item, list, kind));
        if ((core::clean_path(one.mount_path) + "/").starts_with("/.berth/")) {
          reader.fail(item.position, "'volumes' mounts at '/.berth', where Berth's own things are");
        }
        if (!mounts.insert(core::clean_path(one.mount_path)).second) {
          reader.fail(item.position, fmt::format("'volumes' mounts '{}' twice", one.mount_path));
        }
        // One volume may be mounted in several places, by several entries.
        if (kinds.emplace(one.name, kind).first->second != kind) {
          reader.fail(item.position,
                      fmt::format("'volumes' has two kinds of volume named '{}'", one.name));
        }
      }
    };
  }
  reader.map(value, "volumes", handlers);
  return all;
}

}  // namespace berth::settings
