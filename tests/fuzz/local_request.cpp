// Requests to the server of `berth local`, as any job container may send them: over
// a connection of this machine, to the artifacts of a job whose token is "t".

#include "cli/local/server/artifact_endpoint.hpp"
#include "cli/local/server/artifact_store.hpp"
#include "cli/local/server/http_server.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

using namespace berth::local::server;

namespace {

/// One for all inputs; its files go with it.
class Service {
 public:
  Service()
      : m_store(m_directory),
        m_server(
            [this](const Request& request, Exchange& exchange) {
              if (!serve_artifacts(m_store, request, exchange))
                exchange.reply(404, {}, request.parameter("x"));
              basic_credentials(request.header("authorization"));
            },
            0) {
    m_store.add_job(1, "t");
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() { std::filesystem::remove_all(m_directory); }

  /// What comes back until the server closes.
  std::string ask(std::string_view bytes) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(m_server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      std::abort();
    }
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;  // it may refuse before it has heard all
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    ::shutdown(fd, SHUT_WR);
    std::string answer;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::recv(fd, part.data(), part.size(), 0)) > 0;) {
      answer.append(part.data(), static_cast<std::size_t>(got));
    }
    ::close(fd);
    return answer;
  }

 private:
  std::filesystem::path m_directory =
      std::filesystem::temp_directory_path() / ("fuzz-requests-" + std::to_string(::getpid()));
  ArtifactStore m_store;
  HttpServer m_server;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Service service;
  const std::string answer = service.ask({reinterpret_cast<const char*>(data), size});
  if (!answer.empty() && !answer.starts_with("HTTP/1.1 ")) std::abort();
  // Nothing a container sends may be this machine's fault.
  if (answer.starts_with("HTTP/1.1 500 ")) std::abort();
  return 0;
}
