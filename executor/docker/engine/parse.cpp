#include "executor/docker/engine/parse.hpp"

#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "executor/support/json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace berth::docker {
namespace {

using Json = nlohmann::json;

/// A view of one JSON value that knows its place for messages. A null or missing
/// member reads as the empty value, as Go's encoder writes them either way.
class Node {
 public:
  Node(const Json* value, std::string place) : m_value(value), m_place(std::move(place)) {}

  Node operator[](const std::string& key) const {
    const std::string place = m_place + "/" + key;
    if (absent()) return {nullptr, place};
    if (!m_value->is_object()) fail("an object");
    const auto found = m_value->find(key);
    return {found == m_value->end() ? nullptr : &*found, place};
  }

  bool absent() const { return m_value == nullptr || m_value->is_null(); }

  std::string text() const {
    if (absent()) return {};
    if (!m_value->is_string()) fail("a string");
    return m_value->get<std::string>();
  }
  std::string required_text() const {
    if (absent()) fail("a string");
    return text();
  }
  bool flag() const {
    if (absent()) return false;
    if (!m_value->is_boolean()) fail("true or false");
    return m_value->get<bool>();
  }
  /// A whole number of the size that the API gives this member.
  template <typename Integer = std::int64_t>
  Integer number() const {
    if (absent()) return 0;
    if (!m_value->is_number()) fail("a number");
    if (m_value->is_number_float()) {
      constexpr double k_beyond = 0x1p63;
      const auto value = m_value->get<double>();
      if (value >= -k_beyond && value < k_beyond)
        return checked<Integer>(static_cast<std::int64_t>(value));
      fail("a smaller number");
    }
    return m_value->is_number_unsigned() ? checked<Integer>(m_value->get<std::uint64_t>())
                                         : checked<Integer>(m_value->get<std::int64_t>());
  }

  template <typename Function>
  void each(Function function) const {
    if (absent()) return;
    if (!m_value->is_array()) fail("a list");
    for (std::size_t i = 0; i < m_value->size(); ++i)
      function(Node(&(*m_value)[i], m_place + "/" + std::to_string(i)));
  }
  template <typename Function>
  void each_member(Function function) const {
    if (absent()) return;
    if (!m_value->is_object()) fail("an object");
    for (const auto& [key, value] : m_value->items())
      function(key, Node(&value, m_place + "/" + key));
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    each([&](const Node& item) { all.push_back(item.text()); });
    return all;
  }
  /// A list, or one string as old images have it.
  std::vector<std::string> words() const {
    if (!absent() && m_value->is_string()) return {text()};
    return texts();
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> all;
    each_member([&](const std::string& key, const Node&) { all.push_back(key); });
    return all;
  }
  std::map<std::string, std::string> map() const {
    std::map<std::string, std::string> all;
    each_member([&](const std::string& key, const Node& value) { all[key] = value.text(); });
    return all;
  }

 private:
  template <typename Integer, typename Value>
  Integer checked(Value value) const {
    if (!std::in_range<Integer>(value)) fail("a smaller number");
    return static_cast<Integer>(value);
  }

  [[noreturn]] void fail(const char* wanted) const {
    throw support::SystemError(
        "the engine's answer makes no sense: '" + m_place + "': expected " + wanted +
        (m_value == nullptr ? "" : std::string(", got ") + m_value->type_name()));
  }

  const Json* m_value;
  std::string m_place;
};

/// Parses `body` and hands its root to `read`.
template <typename Read>
auto with(std::string_view body, const char* what, Read read) {
  const Json json = support::parse_json(body, std::string("the engine's answer about ") + what);
  return read(Node(&json, what));
}

ContainerState read_state(const Node& node) {
  return {.status = node["Status"].text(),
          .running = node["Running"].flag(),
          .oom_killed = node["OOMKilled"].flag(),
          .exit_code = node["ExitCode"].number<int>(),
          .error = node["Error"].text(),
          .started_at = node["StartedAt"].text(),
          .finished_at = node["FinishedAt"].text(),
          .health = node["Health"]["Status"].text()};
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

NetworkInfo read_network(const Node& node) {
  NetworkInfo network{.id = node["Id"].required_text(),
                      .name = node["Name"].text(),
                      .driver = node["Driver"].text(),
                      .created = node["Created"].text(),
                      .labels = node["Labels"].map(),
                      .containers = node["Containers"].keys()};
  node["IPAM"]["Config"].each([&](const Node& pool) {
    network.subnets.push_back(pool["Subnet"].text());
    network.gateways.push_back(pool["Gateway"].text());
  });
  return network;
}

VolumeInfo read_volume(const Node& node) {
  return {.name = node["Name"].required_text(),
          .driver = node["Driver"].text(),
          .created_at = node["CreatedAt"].text(),
          .mountpoint = node["Mountpoint"].text(),
          .labels = node["Labels"].map()};
}

ContainerInfo read_container(const Node& node) {
  ContainerInfo container{.id = node["Id"].required_text(),
                          .name = without_slash(node["Name"].text()),
                          .image_id = node["Image"].text(),
                          .created = node["Created"].text(),
                          .state = read_state(node["State"]),
                          .labels = node["Config"]["Labels"].map()};
  node["NetworkSettings"]["Networks"].each_member(
      [&](const std::string& name, const Node& endpoint) {
        container.networks[name] = {.network_id = endpoint["NetworkID"].text(),
                                    .ip_address = endpoint["IPAddress"].text(),
                                    .ipv6_address = endpoint["GlobalIPv6Address"].text(),
                                    .gateway = endpoint["Gateway"].text(),
                                    .aliases = endpoint["Aliases"].texts()};
      });
  return container;
}

ContainerSummary read_summary(const Node& node) {
  ContainerSummary summary{.id = node["Id"].required_text(),
                           .image = node["Image"].text(),
                           .state = node["State"].text(),
                           .created = node["Created"].number(),
                           .labels = node["Labels"].map()};
  node["Names"].each(
      [&](const Node& name) { summary.names.push_back(without_slash(name.text())); });
  return summary;
}

ImageInfo read_image(const Node& node) {
  const Node config = node["Config"];
  ImageInfo image{.id = node["Id"].required_text(),
                  .repo_tags = node["RepoTags"].texts(),
                  .repo_digests = node["RepoDigests"].texts(),
                  .entrypoint = config["Entrypoint"].words(),
                  .cmd = config["Cmd"].words(),
                  .env = config["Env"].texts(),
                  .exposed_ports = config["ExposedPorts"].keys(),
                  .volumes = config["Volumes"].keys(),
                  .user = config["User"].text(),
                  .working_dir = config["WorkingDir"].text(),
                  .arch = node["Architecture"].text(),
                  .os = node["Os"].text()};
  const Node healthcheck = config["Healthcheck"];
  if (!healthcheck.absent()) {
    std::vector<std::string> test = healthcheck["Test"].texts();
    if (!test.empty() && test.front() != "NONE")
      image.healthcheck = ImageHealthcheck{.test = std::move(test)};
  }
  return image;
}

template <typename Value, typename Read>
std::vector<Value> read_list(const Node& node, Read read) {
  std::vector<Value> all;
  node.each([&](const Node& item) { all.push_back(read(item)); });
  return all;
}

}  // namespace

EngineVersion parse_version(std::string_view body) {
  return with(body, "version", [](const Node& node) {
    return EngineVersion{.version = node["Version"].text(),
                         .arch = node["Arch"].required_text(),
                         .os = node["Os"].text(),
                         .api_version = node["ApiVersion"].text(),
                         .min_api_version = node["MinAPIVersion"].text()};
  });
}

EngineInfo parse_info(std::string_view body) {
  return with(body, "info", [](const Node& node) {
    return EngineInfo{.id = node["ID"].text(),
                      .name = node["Name"].text(),
                      .cgroup_version = node["CgroupVersion"].text(),
                      .storage_driver = node["Driver"].text(),
                      .operating_system = node["OperatingSystem"].text(),
                      .cpus = node["NCPU"].number(),
                      .memory_bytes = node["MemTotal"].number(),
                      .security_options = node["SecurityOptions"].texts(),
                      .warnings = node["Warnings"].texts()};
  });
}

ImageInfo parse_image(std::string_view body) {
  return with(body, "image", read_image);
}
ContainerInfo parse_container(std::string_view body) {
  return with(body, "container", read_container);
}
std::vector<ContainerSummary> parse_container_list(std::string_view body) {
  return with(body, "containers",
              [](const Node& node) { return read_list<ContainerSummary>(node, read_summary); });
}
NetworkInfo parse_network(std::string_view body) {
  return with(body, "network", read_network);
}
std::vector<NetworkInfo> parse_network_list(std::string_view body) {
  return with(body, "networks",
              [](const Node& node) { return read_list<NetworkInfo>(node, read_network); });
}
VolumeInfo parse_volume(std::string_view body) {
  return with(body, "volume", read_volume);
}
std::vector<VolumeInfo> parse_volume_list(std::string_view body) {
  return with(body, "volumes",
              [](const Node& node) { return read_list<VolumeInfo>(node["Volumes"], read_volume); });
}
ExecInfo parse_exec(std::string_view body) {
  return with(body, "exec", [](const Node& node) {
    return ExecInfo{.container_id = node["ContainerID"].text(),
                    .running = node["Running"].flag(),
                    .exit_code = node["ExitCode"].number<int>(),
                    .pid = node["Pid"].number()};
  });
}
std::string parse_id(std::string_view body) {
  return with(body, "created object", [](const Node& node) { return node["Id"].required_text(); });
}
int parse_wait(std::string_view body) {
  return with(body, "wait", [](const Node& node) { return node["StatusCode"].number<int>(); });
}
PathStat parse_path_stat(std::string_view header) {
  const auto body = support::base64_decode(header);
  if (!body) throw support::SystemError("the engine's answer makes no sense: 'path': not base64");
  return with(*body, "path", [](const Node& node) {
    return PathStat{.name = node["name"].text(),
                    .size = node["size"].number(),
                    .mode = node["mode"].number<std::uint32_t>(),
                    .link_target = node["linkTarget"].text()};
  });
}

}  // namespace berth::docker
