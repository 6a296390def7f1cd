#include "executor/docker/engine/engine.hpp"

#include "executor/core/image_ref.hpp"
#include "executor/docker/engine/engine_impl.hpp"
#include "executor/docker/engine/failures.hpp"
#include "executor/docker/engine/parse.hpp"
#include "executor/docker/engine/pull_report.hpp"

#include <algorithm>

namespace berth::docker {

Engine::Engine(EngineAddress address, EngineOptions options) : m_impl(nullptr) {
  auto http = net::make_http_client(address.http);
  m_impl = std::make_unique<Impl>(std::move(address), std::move(http), std::move(options));
}

Engine::Engine(EngineAddress address, std::unique_ptr<net::HttpClient> http, EngineOptions options)
    : m_impl(std::make_unique<Impl>(std::move(address), std::move(http), std::move(options))) {}

Engine::~Engine() = default;

const EngineAddress& Engine::address() const noexcept {
  return m_impl->caller.address();
}

std::string Engine::describe() const {
  return "docker engine at " + address().host;
}

std::string Engine::negotiate(std::stop_token stop) {
  return to_string(m_impl->caller.negotiate(stop));
}

bool Engine::api_at_least(int major, int minor, std::stop_token stop) {
  return m_impl->caller.negotiate(stop) >= ApiVersion{major, minor};
}

EngineVersion Engine::version(std::stop_token stop) {
  const EngineAnswer answer =
      m_impl->caller.call({.name = "version", .request = {.target = "/version"}}, stop);
  return parse_version(answer.response.body);
}

EngineInfo Engine::info(std::stop_token stop) {
  const EngineAnswer answer =
      m_impl->caller.call({.name = "info", .request = {.target = "/info"}}, stop);
  return parse_info(answer.response.body);
}

std::optional<ImageInfo> Engine::find_image(const std::string& image, std::stop_token stop) {
  // The name's slashes are part of the route; everything else is encoded.
  std::string path;
  for (const char c : image) path += c == '/' ? "/" : segment(std::string(1, c));
  const EngineAnswer answer =
      m_impl->caller.call({.name = "inspect image " + quoted(image),
                           .request = {.target = "/images/" + path + "/json"},
                           .accept = {404}},
                          stop);
  if (answer.status == 404) return std::nullopt;
  return parse_image(answer.response.body);
}

void Engine::pull_image(const PullRequest& request,
                        const std::function<void(const PullProgress&)>& on_progress,
                        std::stop_token stop) {
  const core::ImageRef ref = core::parse_image_ref(request.image);
  const std::string call_name = "pull image " + quoted(request.image);
  const auto failed = [&](int status, const std::string& text) {
    PullVerdict verdict = classify_pull_failure(status, text);
    return PullError(verdict.kind, verdict.fault, status,
                     describe() + ": " + call_name + ": " + text, text, std::move(verdict.hint));
  };
  net::HttpRequest http{
      .method = "POST",
      .target = "/images/create?fromImage=" + net::percent_encode(ref.written_path) +
                "&tag=" + net::percent_encode(ref.digest.empty() ? ref.tag : ref.digest)};
  if (!request.platform.empty())
    http.target += "&platform=" + net::percent_encode(request.platform);
  if (!request.registry_auth.empty())
    http.secret_headers.push_back({"X-Registry-Auth", request.registry_auth});
  // Between two lines of its report the engine may unpack a large layer.
  http.silence_timeout = std::chrono::minutes(10);
  PullReport report(on_progress);
  http.on_body = [&](std::string_view bytes) {
    report.feed(bytes);
    return true;
  };
  try {
    m_impl->caller.call({.name = call_name, .request = std::move(http), .repeat = Repeat::never},
                        stop);
  } catch (const EngineError& error) {
    throw failed(error.status(), error.engine_text());
  }
  report.finish();
  if (report.error()) throw failed(report.error_code(), *report.error());
}

}  // namespace berth::docker
