#include "tests/contract/fake_engine.hpp"

#include "tests/contract/container_calls.hpp"
#include "tests/contract/engine_call.hpp"
#include "tests/contract/fake_containers.hpp"
#include "tests/contract/fake_objects.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
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
using Socket = asio::local::stream_protocol::socket;

std::string without_version(const std::string& path) {
  if (!path.starts_with("/v")) return path;
  const auto slash = path.find('/', 1);
  return slash == std::string::npos ? path : path.substr(slash);
}

}  // namespace

class FakeEngine::Impl {
 public:
  Impl(fs::path socket, Options options)
      : m_socket_path(std::move(socket)),
        m_options(std::move(options)),
        m_containers(m_options.agent, m_socket_path.parent_path()),
        m_images(m_options.images),
        m_calls(m_containers, m_images, m_volumes, m_options.local),
        m_acceptor(m_context, asio::local::stream_protocol::endpoint(m_socket_path.string())) {
    m_accepting = std::thread([this] { accept_loop(); });
  }

  ~Impl() {
    m_stopping = true;
    m_calls.stop();
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
      const EngineCall call = parse_call(seen.method, seen.path, seen.body);
      if (fault == Fault::none && call.path.size() == 3 && call.at(0) == "exec" &&
          call.at(2) == "start") {
        serve_exec(socket, call.at(1));
        return;
      }
      const EngineReply given =
          fault == Fault::error_500 ? refuse(500, "the engine had a fault") : answer(call);
      http::response<http::string_body> response(http::int_to_status(given.status),
                                                 request.version());
      for (const auto& [name, value] : given.headers) response.set(name, value);
      response.set("Api-Version", m_options.api_version);
      response.set("Ostype", "linux");
      response.keep_alive(request.keep_alive());
      if (seen.method != "HEAD") response.body() = given.body;
      response.prepare_payload();
      http::write(socket, response, error);
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

  EngineReply answer(const EngineCall& call) {
    const std::string first = call.at(0);
    if (first == "_ping") return {.body = "OK"};
    if (first == "version") {
      return reply(200, {{"Version", "20.10.24"},
                         {"ApiVersion", m_options.api_version},
                         {"MinAPIVersion", "1.12"},
                         {"Os", "linux"},
                         {"Arch", "amd64"}});
    }
    if (first == "info") return reply(200, {{"ID", "FAKE"}, {"Architecture", "x86_64"}});
    if (first == "images") return m_images.answer(call);
    if (first == "containers") return m_calls.answer(call);
    if (first == "networks") return m_networks.answer(call);
    if (first == "volumes") return m_volumes.answer(call);
    if (first == "exec") return m_calls.answer_exec(call);
    return refuse(404, "page not found");
  }

  /// `berth-agent connect`: the connection joined to the agent's socket, its
  /// output in stdout frames.
  void serve_exec(Socket& client, const std::string& id) {
    boost::system::error_code error;
    const std::string head =
        "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
        "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    asio::write(client, asio::buffer(head), error);
    Socket agent(m_context);
    const fs::path run = m_containers.mounted_at(m_calls.container_of_exec(id), "/.berth/run");
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

  struct Connection {
    int fd = -1;
    std::thread thread;
  };

  fs::path m_socket_path;
  Options m_options;
  FakeContainers m_containers;
  FakeImages m_images;
  FakeObjects m_networks{FakeObjects::Kind::network};
  FakeObjects m_volumes{FakeObjects::Kind::volume};
  ContainerCalls m_calls;
  asio::io_context m_context;
  asio::local::stream_protocol::acceptor m_acceptor;
  std::atomic<bool> m_stopping{false};
  std::thread m_accepting;
  std::mutex m_mutex;
  std::list<Connection> m_connections;
  std::vector<Request> m_requests;
  std::function<Fault(const Request&)> m_fault;
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
  return m_impl->m_networks.names();
}

std::vector<std::string> FakeEngine::volumes() const {
  return m_impl->m_volumes.names();
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
