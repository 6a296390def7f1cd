#include "executor/environments/workloads/http_probe.hpp"

#include "executor/net/http.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::environments::workloads {

ProbeAnswer ask(const HttpProbe& probe, std::stop_token stop) {
  const std::size_t scheme = probe.url.find("://");
  const bool known = probe.url.starts_with("http://") || probe.url.starts_with("https://");
  const std::size_t host = scheme + 3;
  if (!known || host >= probe.url.size() || probe.url.find('@', host) != std::string::npos)
    throw support::OperatorError(
        fmt::format("health probe: '{}' is no http or https URL", probe.url),
        "http://host:port/path, without a login");
  const std::size_t path = std::min(probe.url.find_first_of("/?", host), probe.url.size());
  const std::size_t fragment = std::min(probe.url.find('#', path), probe.url.size());
  std::string target = probe.url.substr(path, fragment - path);
  if (!target.starts_with('/')) target.insert(0, 1, '/');
  net::HttpOptions options;
  options.base_url = probe.url.substr(0, path);
  options.connect_timeout = probe.patience;
  const auto client = net::make_http_client(std::move(options));
  net::HttpRequest request;
  request.target = std::move(target);
  request.deadline = std::chrono::steady_clock::now() + probe.patience;
  const std::string front = "GET " + probe.url + ": ";
  try {
    // The body is nobody's business here, and may be long.
    request.on_body = [](std::string_view) { return false; };
    const net::HttpResponse response = client->send(request, stop);
    return {.good = response.status >= probe.least && response.status <= probe.most,
            .text = front + std::to_string(response.status)};
  } catch (const net::HttpError& error) {
    return {.good = false, .text = front + error.what()};
  }
}

}  // namespace berth::environments::workloads
