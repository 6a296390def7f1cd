#include "cli/local/server/git_endpoint.hpp"

#include "cli/local/runner/child.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

namespace berth::local::server {
namespace {

using runner::Child;

/// What a fetch asks for; far more than git sends.
constexpr std::size_t k_max_request = std::size_t{256} << 20;

/// The body in memory, as a file that git can read from its beginning.
support::Fd spool(Exchange& exchange, std::size_t& size) {
  support::Fd file(::memfd_create("git-request", MFD_CLOEXEC));
  if (!file) throw support::SystemError("cannot keep a request: " + support::errno_text(errno));
  std::array<char, 65536> buffer{};
  while (const std::size_t got = exchange.read(buffer)) {
    size += got;
    if (size > k_max_request) throw support::SystemError("a request of git is too large");
    support::write_all(file.get(), {buffer.data(), got}, "git request");
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

/// RFC 3875, as far as git-http-backend reads it.
std::vector<std::string> cgi_environment(const GitRepository& repository, const Request& request,
                                         std::size_t body_size) {
  std::vector<std::string> environment{
      "GIT_PROJECT_ROOT=" + repository.git_dir.string(),
      "GIT_HTTP_EXPORT_ALL=1",
      "PATH_INFO=" + request.path.substr(repository.url_path.size()),
      "QUERY_STRING=" + request.query,
      "REQUEST_METHOD=" + request.method,
      "CONTENT_TYPE=" + request.header("content-type"),
      "CONTENT_LENGTH=" + std::to_string(body_size),
      "REMOTE_USER=gitlab-ci-token",
      "REMOTE_ADDR=job",
      // The commit is asked for by its id, whatever the branch is by now; the
      // checkout may belong to another user than this process.
      "GIT_CONFIG_COUNT=3",
      "GIT_CONFIG_KEY_0=uploadpack.allowAnySHA1InWant",
      "GIT_CONFIG_VALUE_0=true",
      "GIT_CONFIG_KEY_1=http.receivepack",
      "GIT_CONFIG_VALUE_1=false",
      "GIT_CONFIG_KEY_2=safe.directory",
      "GIT_CONFIG_VALUE_2=*",
  };
  for (const auto& [header, variable] : {std::pair{"content-encoding", "HTTP_CONTENT_ENCODING"},
                                         std::pair{"git-protocol", "GIT_PROTOCOL"}}) {
    if (const std::string value = request.header(header); !value.empty()) {
      environment.push_back(fmt::format("{}={}", variable, value));
    }
  }
  for (const char* name : {"PATH", "HOME"}) {
    if (const char* value = ::getenv(name); value != nullptr)
      environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

/// Turns the CGI's output into the answer: header lines, a blank line, the body.
class CgiAnswer {
 public:
  explicit CgiAnswer(Exchange& exchange) : m_exchange(exchange) {}

  void feed(std::string_view bytes) {
    if (m_begun) return m_exchange.write(bytes);
    m_head.append(bytes);
    auto end = m_head.find("\r\n\r\n");
    std::size_t blank = 4;
    if (end == std::string::npos) {
      end = m_head.find("\n\n");
      blank = 2;
    }
    if (end == std::string::npos) return;
    begin(std::string_view(m_head).substr(0, end));
    m_exchange.write(std::string_view(m_head).substr(end + blank));
  }

  bool begun() const noexcept { return m_begun; }

 private:
  void begin(std::string_view head) {
    unsigned status = 200;
    Exchange::Headers headers;
    while (!head.empty()) {
      const auto newline = std::min(head.find('\n'), head.size());
      std::string_view line = head.substr(0, newline);
      head.remove_prefix(std::min(newline + 1, head.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const std::string_view name = line.substr(0, colon);
      const auto value_at = line.find_first_not_of(' ', colon + 1);
      const std::string value(value_at == std::string_view::npos ? "" : line.substr(value_at));
      if (name == "Status") {
        std::from_chars(value.data(), value.data() + value.size(), status);
      } else if (name != "Content-Length") {
        headers.emplace_back(name, value);
      }
    }
    m_begun = true;
    m_exchange.begin(status, headers);
  }

  Exchange& m_exchange;
  std::string m_head;
  bool m_begun = false;
};

void run_backend(const GitRepository& repository, const Request& request, Exchange& exchange) {
  std::size_t size = 0;
  const support::Fd body = spool(exchange, size);
  Child child({.arguments = {"git", "http-backend"},
               .environment = cgi_environment(repository, request, size),
               .directory = "/",
               .input = body.get()});
  CgiAnswer answer(exchange);
  std::string errors;
  std::array<char, 65536> buffer{};
  try {
    while (child.output() || child.errors()) {
      pollfd polled[2] = {{child.output().get(), POLLIN, 0}, {child.errors().get(), POLLIN, 0}};
      if (::poll(polled, 2, -1) < 0 && errno != EINTR) break;
      for (int i = 0; i < 2; ++i) {
        if (polled[i].revents == 0) continue;
        support::Fd& fd = i == 0 ? child.output() : child.errors();
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got <= 0) {
          fd.reset();
        } else if (i == 0) {
          answer.feed({buffer.data(), static_cast<std::size_t>(got)});
        } else {
          errors.append(buffer.data(), static_cast<std::size_t>(got));
        }
      }
    }
  } catch (...) {
    child.signal_group(SIGKILL);
    child.wait();
    throw;
  }
  child.wait();
  if (!answer.begun()) throw support::SystemError("git http-backend gave no answer: " + errors);
  exchange.end();
}

}  // namespace

bool serve_git(const GitRepository& repository, const ArtifactStore& store, const Request& request,
               Exchange& exchange) {
  if (!request.path.starts_with(repository.url_path + "/")) return false;
  const auto credentials = basic_credentials(request.header("authorization"));
  if (!credentials || !store.is_token(credentials->second)) {
    exchange.reply(
        401, {{"WWW-Authenticate", "Basic realm=\"berth local\""}, {"Content-Type", "text/plain"}},
        "a job token is needed\n");
  } else {
    run_backend(repository, request, exchange);
  }
  return true;
}

}  // namespace berth::local::server
