#include "tests/contract/fake_engine.hpp"

#include "tests/contract/fake_containers.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace berth::tests {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace http = boost::beast::http;
using json = nlohmann::json;
using Socket = asio::local::stream_protocol::socket;
using Reply = http::response<http::string_body>;

/// "/v1.41/containers/x/json?a=1" -> segments and query.
struct Target {
  std::vector<std::string> segments;
  std::map<std::string, std::string> query;
};

std::string percent_decode(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

Target parse_target(const std::string& path) {
  Target target;
  const auto question = path.find('?');
  std::stringstream parts(path.substr(0, question));
  for (std::string part; std::getline(parts, part, '/');) {
    if (!part.empty()) target.segments.push_back(percent_decode(part));
  }
  if (question != std::string::npos) {
    std::stringstream pairs(path.substr(question + 1));
    for (std::string pair; std::getline(pairs, pair, '&');) {
      const auto equals = pair.find('=');
      target.query[pair.substr(0, equals)] =
          equals == std::string::npos ? "" : percent_decode(pair.substr(equals + 1));
    }
  }
  return target;
}

std::string without_version(const std::string& path) {
  if (!path.starts_with("/v")) return path;
  const auto slash = path.find('/', 1);
  return slash == std::string::npos ? path : path.substr(slash);
}

Reply reply(unsigned status, const json& body) {
  Reply result;
  result.result(status);
  if (status != 204 && status != 304) {
    result.set(http::field::content_type, "application/json");
    result.body() = body.dump();
  }
  return result;
}

Reply refuse(unsigned status, const std::string& message) {
  return reply(status, {{"message", message}});
}

/// One stdout or stderr frame of a stream without a terminal.
std::string stream_frame(char type, std::string_view bytes) {
  std::string frame(8, '\0');
  frame[0] = type;
  const auto size = static_cast<std::uint32_t>(bytes.size());
  for (unsigned i = 0; i < 4; ++i) frame[4 + i] = static_cast<char>(size >> (24 - 8 * i));
  return frame.append(bytes);
}

bool labels_match(const json& labels, const json& filters) {
  for (const auto& wanted : filters.value("label", json::array())) {
    const std::string text = wanted.get<std::string>();
    const auto equals = text.find('=');
    const std::string key = text.substr(0, equals);
    if (!labels.is_object() || !labels.contains(key)) return false;
    if (equals != std::string::npos && labels[key] != text.substr(equals + 1)) return false;
  }
  return true;
}

}  // namespace

class FakeEngine::Impl {
 public:
  Impl(fs::path socket, Options options)
      : m_socket_path(std::move(socket)),
        m_options(std::move(options)),
        m_containers(m_options.agent, m_socket_path.parent_path()),
        m_acceptor(m_context, asio::local::stream_protocol::endpoint(m_socket_path.string())) {
    m_accepting = std::thread([this] { accept_loop(); });
  }

  ~Impl() {
    m_stopping = true;
    // Wakes the blocking accept.
    Socket knock(m_context);
    boost::system::error_code ignored;
    knock.connect(asio::local::stream_protocol::endpoint(m_socket_path.string()), ignored);
    m_accepting.join();
    {
      const std::lock_guard lock(m_mutex);
      for (auto& connection : m_connections) ::shutdown(connection.fd, SHUT_RDWR);
    }
    for (auto& connection : m_connections) {
      connection.thread.join();
      ::close(connection.fd);
    }
  }

  void accept_loop() {
    while (!m_stopping) {
      Socket socket(m_context);
      boost::system::error_code error;
      m_acceptor.accept(socket, error);
      if (error || m_stopping) return;
      const std::lock_guard lock(m_mutex);
      auto& connection = m_connections.emplace_back();
      connection.fd = ::dup(socket.native_handle());
      connection.thread =
          std::thread([this, moved = std::move(socket)]() mutable { serve(std::move(moved)); });
    }
  }

  void serve(Socket socket) {
    boost::beast::flat_buffer buffer;
    while (!m_stopping) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(64u << 20);
      boost::system::error_code error;
      http::read(socket, buffer, parser, error);
      if (error) return;
      const auto& request = parser.get();
      const Request seen{std::string(request.method_string()),
                         without_version(std::string(request.target())), request.body()};
      const Fault fault = note(seen);
      if (fault == Fault::drop) return;
      if (fault == Fault::hang) {
        // Until the client gives up.
        char byte = 0;
        socket.read_some(asio::buffer(&byte, 1), error);
        return;
      }
      const Target target = parse_target(seen.path);
      if (fault == Fault::none && target.segments.size() == 3 && target.segments[0] == "exec" &&
          target.segments[2] == "start") {
        serve_exec(socket, target.segments[1]);
        return;
      }
      Reply answer = fault == Fault::error_500 ? refuse(500, "the engine had a fault")
                                               : handle(seen.method, target, seen.body);
      answer.version(request.version());
      answer.set("Api-Version", m_options.api_version);
      answer.set("Ostype", "linux");
      answer.keep_alive(request.keep_alive());
      if (seen.method == "HEAD") {
        answer.body().clear();
      }
      answer.prepare_payload();
      http::write(socket, answer, error);
      if (error || !request.keep_alive()) return;
    }
  }

  Fault note(const Request& request) {
    std::function<Fault(const Request&)> fault;
    {
      const std::lock_guard lock(m_mutex);
      m_requests.push_back(request);
      fault = m_fault;
    }
    return fault ? fault(request) : Fault::none;
  }

  Reply handle(const std::string& method, const Target& target, const std::string& body) {
    const auto& path = target.segments;
    const std::string first = path.empty() ? "" : path[0];
    if (first == "_ping") return ping();
    if (first == "version") return version();
    if (first == "info") return reply(200, {{"ID", "FAKE"}, {"Architecture", "x86_64"}});
    if (first == "images") return images(method, target);
    if (first == "containers") return containers(method, target, body);
    if (first == "networks") return objects(m_networks, "network", method, target, body);
    if (first == "volumes") return objects(m_volumes, "volume", method, target, body);
    if (first == "exec" && path.size() == 3 && path[2] == "json") {
      return reply(200, {{"Running", false}, {"ExitCode", 0}});
    }
    return refuse(404, "page not found");
  }

  static Reply ping() {
    Reply result;
    result.result(200);
    result.body() = "OK";
    return result;
  }

  Reply version() const {
    return reply(200, {{"Version", "20.10.24"},
                       {"ApiVersion", m_options.api_version},
                       {"MinAPIVersion", "1.12"},
                       {"Os", "linux"},
                       {"Arch", "amd64"}});
  }

  static std::string join(const std::vector<std::string>& path, std::size_t from, std::size_t to) {
    std::string result;
    for (std::size_t i = from; i < to; ++i) result += (i > from ? "/" : "") + path[i];
    return result;
  }

  Reply images(const std::string& method, const Target& target) {
    const auto& path = target.segments;
    const std::lock_guard lock(m_mutex);
    if (method == "POST" && path.size() == 2 && path[1] == "create") {
      std::string name = target.query.at("fromImage");
      if (auto tag = target.query.find("tag"); tag != target.query.end() && !tag->second.empty()) {
        name += ":" + tag->second;
      }
      auto* image = find_image(name);
      if (image == nullptr || !image->pull_error.empty()) {
        return refuse(404,
                      image == nullptr ? "manifest for " + name + " not found" : image->pull_error);
      }
      image->present = true;
      return reply(200, {{"status", "Status: Downloaded newer image for " + name}});
    }
    const std::string name = join(path, 1, path.size() - 1);
    auto* image = find_image(name);
    if (image == nullptr || !image->present) return refuse(404, "No such image: " + name);
    json ports = json::object();
    for (const auto& port : image->exposed_ports) ports[port] = json::object();
    return reply(200, {{"Id", "sha256:" + name},
                       {"RepoTags", {name}},
                       {"RepoDigests", json::array()},
                       {"Architecture", "amd64"},
                       {"Os", "linux"},
                       {"Config",
                        {{"Entrypoint", image->entrypoint},
                         {"Cmd", {"sh"}},
                         {"Env", image->env},
                         {"User", image->user},
                         {"ExposedPorts", ports}}}});
  }

  Image* find_image(std::string name) {
    if (name.starts_with("sha256:")) name = name.substr(7);
    for (const std::string& candidate : {name, name + ":latest"}) {
      if (auto found = m_options.images.find(candidate); found != m_options.images.end()) {
        return &found->second;
      }
    }
    return nullptr;
  }

  Reply containers(const std::string& method, const Target& target, const std::string& body) {
    const auto& path = target.segments;
    if (path.size() == 2 && path[1] == "create") return create_container(target, body);
    if (path.size() == 2 && path[1] == "json") return list_containers(target);
    const auto state = path.size() > 1 ? m_containers.find(path[1]) : std::nullopt;
    if (!state) return refuse(404, "No such container: " + (path.size() > 1 ? path[1] : ""));
    const std::string verb = path.size() > 2 ? path[2] : "";
    if (method == "DELETE") {
      m_containers.remove(state->id);
      return reply(204, {});
    }
    if (verb == "start") return start_container(*state);
    if (verb == "kill" || verb == "stop") {
      if (!state->running) return refuse(409, "Container " + state->id + " is not running");
      m_containers.kill(state->id);
      return reply(204, {});
    }
    if (verb == "wait") return wait_container(state->id);
    if (verb == "logs") {
      Reply result;
      result.result(200);
      result.body() = state->log.empty() ? "" : stream_frame(2, state->log);
      return result;
    }
    if (verb == "archive") return archive(method);
    if (verb == "exec") return create_exec(state->id, body);
    if (verb == "json") return inspect_container(*state);
    return refuse(404, "page not found");
  }

  Reply create_container(const Target& target, const std::string& body) {
    json config = json::parse(body);
    const std::string name = target.query.contains("name") ? target.query.at("name") : "";
    {
      const std::lock_guard lock(m_mutex);
      auto* image = find_image(config.value("Image", ""));
      if (image == nullptr || !image->present) {
        return refuse(404, "No such image: " + config.value("Image", ""));
      }
    }
    for (const auto& mount : config["HostConfig"].value("Mounts", json::array())) {
      if (mount.value("Type", "") == "bind") {
        const std::string source = mount.value("Source", "");
        if (!m_options.local || !fs::exists(source)) {
          return refuse(
              400,
              "invalid mount config for type \"bind\": bind source path does not exist: " + source);
        }
      } else if (mount.value("Type", "") == "volume" && mount.contains("Source")) {
        const std::lock_guard lock(m_mutex);
        m_volumes.try_emplace(
            mount["Source"],
            json{{"Labels",
                  mount.value("VolumeOptions", json::object()).value("Labels", json::object())}});
      }
    }
    const auto id = m_containers.create(name, std::move(config));
    if (!id) return refuse(409, "Conflict. The container name \"/" + name + "\" is already in use");
    return reply(201, {{"Id", *id}, {"Warnings", json::array()}});
  }

  Reply start_container(const FakeContainers::State& state) {
    std::optional<int> ends_with;
    std::string log;
    {
      const std::lock_guard lock(m_mutex);
      if (auto* image = find_image(state.config.value("Image", ""))) {
        ends_with = image->exits_at_once;
        log = image->log;
      }
    }
    return reply(m_containers.start(state.id, ends_with, log) ? 304 : 204, {});
  }

  Reply wait_container(const std::string& id) {
    for (;;) {
      const auto state = m_containers.find(id);
      if (!state || !state->running)
        return reply(200, {{"StatusCode", state ? state->exit_code : 0}});
      std::unique_lock lock(m_mutex);
      if (m_stopping) return refuse(500, "the engine stops");
      m_wake.wait_for(lock, std::chrono::milliseconds(20));
    }
  }

  Reply inspect_container(const FakeContainers::State& state) {
    return reply(
        200,
        {{"Id", state.id},
         {"Name", "/" + state.name},
         {"State",
          {{"Status", state.running   ? "running"
                      : state.started ? "exited"
                                      : "created"},
           {"Running", state.running},
           {"OOMKilled", state.out_of_memory},
           {"ExitCode", state.exit_code},
           {"Error", ""}}},
         {"Config", state.config},
         {"NetworkSettings",
          {{"IPAddress", "127.0.0.1"}, {"Networks", {{"bridge", {{"IPAddress", "127.0.0.1"}}}}}}}});
  }

  Reply list_containers(const Target& target) {
    const json filters =
        target.query.contains("filters") ? json::parse(target.query.at("filters")) : json::object();
    json result = json::array();
    for (const auto& state : m_containers.all()) {
      const json labels = state.config.value("Labels", json::object());
      if (!labels_match(labels, filters)) continue;
      result.push_back({{"Id", state.id},
                        {"Names", {"/" + state.name}},
                        {"Labels", labels},
                        {"State", state.running ? "running" : "exited"}});
    }
    return reply(200, result);
  }

  /// The archive calls serve only for the agent's volume: its marker is there
  /// once something has been put.
  Reply archive(const std::string& method) {
    const std::lock_guard lock(m_mutex);
    if (method == "PUT") {
      m_archive_put = true;
      return reply(200, {});
    }
    if (!m_archive_put) return refuse(404, "Could not find the file in container");
    Reply result = reply(200, {});
    result.set("X-Docker-Container-Path-Stat", "e30=");
    return result;
  }

  Reply create_exec(const std::string& container, const std::string& body) {
    const std::lock_guard lock(m_mutex);
    const std::string id = fmt::format("{:064x}", 0xe4ec0000u + m_execs.size());
    m_execs[id] = {container, json::parse(body)};
    return reply(201, {{"Id", id}});
  }

  /// `berth-agent connect`: the connection joined to the agent's socket, its
  /// output in stdout frames.
  void serve_exec(Socket& client, const std::string& id) {
    std::string container;
    {
      const std::lock_guard lock(m_mutex);
      container = m_execs.contains(id) ? m_execs[id].first : "";
    }
    boost::system::error_code error;
    const std::string head =
        "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
        "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    asio::write(client, asio::buffer(head), error);
    Socket agent(m_context);
    const fs::path run = m_containers.mounted_at(container, "/.berth/run");
    agent.connect((run / "agent.sock").string(), error);
    if (error) {
      asio::write(client,
                  asio::buffer(stream_frame(2, "berth-agent: no agent: " + error.message() + "\n")),
                  error);
      return;
    }
    std::thread up([&client, &agent] {
      char bytes[16384];
      boost::system::error_code ended;
      for (;;) {
        const std::size_t count = client.read_some(asio::buffer(bytes), ended);
        if (ended) break;
        asio::write(agent, asio::buffer(bytes, count), ended);
        if (ended) break;
      }
      ::shutdown(agent.native_handle(), SHUT_RDWR);
    });
    char bytes[16384];
    for (;;) {
      const std::size_t count = agent.read_some(asio::buffer(bytes), error);
      if (error) break;
      asio::write(client, asio::buffer(stream_frame(1, {bytes, count})), error);
      if (error) break;
    }
    ::shutdown(client.native_handle(), SHUT_RDWR);
    up.join();
  }

  /// Networks and volumes: named things with labels.
  Reply objects(std::map<std::string, json>& all, const std::string& kind,
                const std::string& method, const Target& target, const std::string& body) {
    const std::lock_guard lock(m_mutex);
    const auto& path = target.segments;
    if (method == "POST" && path.size() == 2 && path[1] == "create") {
      const json wanted = json::parse(body);
      const std::string name = wanted.value("Name", "");
      const bool is_new = all.try_emplace(name, wanted).second;
      if (kind == "network" && !is_new)
        return refuse(409, "network with name " + name + " already exists");
      return reply(201, describe(kind, name, all[name]));
    }
    if (path.size() == 1) {
      const json filters = target.query.contains("filters")
                               ? json::parse(target.query.at("filters"))
                               : json::object();
      json list = json::array();
      for (const auto& [name, object] : all) {
        if (filters.contains("name") && filters["name"].dump().find(name) == std::string::npos)
          continue;
        if (labels_match(object.value("Labels", json::object()), filters)) {
          list.push_back(describe(kind, name, object));
        }
      }
      return reply(200, kind == "volume" ? json{{"Volumes", list}, {"Warnings", nullptr}} : list);
    }
    std::string name = path[1];
    if (kind == "network" && name.starts_with("id-")) name = name.substr(3);
    const auto found = all.find(name);
    if (found == all.end()) return refuse(404, "no such " + kind + ": " + name);
    if (path.size() == 3) return reply(200, json::object());  // connect, disconnect
    if (method == "DELETE") {
      all.erase(found);
      return reply(204, {});
    }
    return reply(200, describe(kind, name, found->second));
  }

  static json describe(const std::string& kind, const std::string& name, const json& object) {
    json result = {{"Name", name},
                   {"Labels", object.value("Labels", json::object())},
                   {"Driver", kind == "volume" ? "local" : "bridge"}};
    if (kind == "network") {
      result["Id"] = "id-" + name;
      result["IPAM"] = {{"Config", {{{"Subnet", "127.0.0.0/8"}, {"Gateway", "127.0.0.1"}}}}};
      result["Options"] = object.value("Options", json::object());
      result["Containers"] = json::object();
    } else {
      result["CreatedAt"] = "2026-01-01T00:00:00Z";
      result["Mountpoint"] = "/var/lib/docker/volumes/" + name + "/_data";
    }
    return result;
  }

  struct Connection {
    int fd = -1;
    std::thread thread;
  };

  fs::path m_socket_path;
  Options m_options;
  FakeContainers m_containers;
  asio::io_context m_context;
  asio::local::stream_protocol::acceptor m_acceptor;
  std::atomic<bool> m_stopping{false};
  std::thread m_accepting;
  mutable std::mutex m_mutex;
  std::condition_variable m_wake;
  std::list<Connection> m_connections;
  std::vector<Request> m_requests;
  std::function<Fault(const Request&)> m_fault;
  std::map<std::string, json> m_networks;
  std::map<std::string, json> m_volumes;
  std::map<std::string, std::pair<std::string, json>> m_execs;
  bool m_archive_put = false;
};

FakeEngine::FakeEngine(fs::path socket, Options options)
    : m_impl(std::make_unique<Impl>(std::move(socket), std::move(options))) {}
FakeEngine::~FakeEngine() = default;

std::string FakeEngine::host() const {
  return "unix://" + m_impl->m_socket_path.string();
}

void FakeEngine::set_fault(std::function<Fault(const Request&)> fault) {
  const std::lock_guard lock(m_impl->m_mutex);
  m_impl->m_fault = std::move(fault);
}

std::vector<FakeEngine::Request> FakeEngine::requests() const {
  const std::lock_guard lock(m_impl->m_mutex);
  return m_impl->m_requests;
}

std::vector<std::string> FakeEngine::containers() const {
  std::vector<std::string> names;
  for (const auto& state : m_impl->m_containers.all()) names.push_back(state.name);
  return names;
}

std::vector<std::string> FakeEngine::networks() const {
  const std::lock_guard lock(m_impl->m_mutex);
  std::vector<std::string> names;
  for (const auto& [name, object] : m_impl->m_networks) names.push_back(name);
  return names;
}

std::vector<std::string> FakeEngine::volumes() const {
  const std::lock_guard lock(m_impl->m_mutex);
  std::vector<std::string> names;
  for (const auto& [name, object] : m_impl->m_volumes) names.push_back(name);
  return names;
}

std::string FakeEngine::create_body(const std::string& name_suffix) const {
  for (const auto& state : m_impl->m_containers.all()) {
    if (state.name.ends_with(name_suffix)) return state.config.dump();
  }
  return {};
}

void FakeEngine::kill_container(const std::string& name_suffix, bool out_of_memory) {
  for (const auto& state : m_impl->m_containers.all()) {
    if (state.name.ends_with(name_suffix)) m_impl->m_containers.kill(state.id, out_of_memory);
  }
}

}  // namespace berth::tests
