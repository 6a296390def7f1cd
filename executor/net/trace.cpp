#include "executor/net/http.hpp"
#include "executor/support/fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

namespace berth::net {
namespace {

class TracedClient final : public HttpClient {
 public:
  TracedClient(std::unique_ptr<HttpClient> client, std::function<void(const HttpCall&)> on_call)
      : m_client(std::move(client)), m_on_call(std::move(on_call)) {}

  HttpResponse send(const HttpRequest& request, std::stop_token stop) override {
    const auto start = std::chrono::steady_clock::now();
    int status = 0;
    const Report report{*this, request, start, status};
    HttpResponse response = m_client->send(request, stop);
    status = response.status;
    return response;
  }

  Upgraded upgrade(const HttpRequest& request, std::chrono::steady_clock::time_point deadline,
                   std::stop_token stop) override {
    const auto start = std::chrono::steady_clock::now();
    int status = 0;
    const Report report{*this, request, start, status};
    Upgraded upgraded = m_client->upgrade(request, deadline, stop);
    status = upgraded.response.status;
    return upgraded;
  }

 private:
  /// Tells of the call on the way out, whether it is by return or by exception.
  struct Report {
    TracedClient& client;
    const HttpRequest& request;
    std::chrono::steady_clock::time_point start;
    const int& status;

    ~Report() {
      try {
        const auto end = std::chrono::steady_clock::now();
        client.m_on_call({request.method, request.target.substr(0, request.target.find('?')),
                          status,
                          std::chrono::duration_cast<std::chrono::microseconds>(end - start)});
      } catch (...) {  // a lost line of a trace fails nothing
      }
    }
  };

  std::unique_ptr<HttpClient> m_client;
  std::function<void(const HttpCall&)> m_on_call;
};

}  // namespace

std::unique_ptr<HttpClient> make_traced_client(std::unique_ptr<HttpClient> client,
                                               std::function<void(const HttpCall&)> on_call) {
  return std::make_unique<TracedClient>(std::move(client), std::move(on_call));
}

std::function<void(const HttpCall&)> trace_to_file(const std::string& path) {
  auto file = std::make_shared<support::Fd>(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  return [file](const HttpCall& call) {
    const std::string line = fmt::format("{} {} {} {} {}\n", ::getpid(), call.method, call.path,
                                         call.status, call.duration.count());
    // One write with O_APPEND: lines of several processes do not mix.
    [[maybe_unused]] const ssize_t written = ::write(file->get(), line.data(), line.size());
  };
}

}  // namespace berth::net
