#include "executor/environments/events.hpp"

#include "executor/environments/deployment_json.hpp"
#include "executor/environments/durable_file.hpp"
#include "executor/net/http.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "executor/support/retry.hpp"
#include "executor/support/text.hpp"
#include "executor/support/version.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace berth::environments {
namespace {

using nlohmann::ordered_json;

constexpr unsigned k_tries = 3;
constexpr std::size_t k_max_token = 65536;

/// "https://hooks.example.com/berth?key=x": what is before the path, and the rest.
std::pair<std::string, std::string> split_url(const std::string& url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = url.find_first_of("/?", host);
  if (path == std::string::npos) return {url, "/"};
  std::string target = url.substr(path);
  if (target.front() == '?') target.insert(0, "/");
  return {url.substr(0, path), target};
}

bool is_worth_another_try(int status) {
  return status == 408 || status == 429 || status >= 500;
}

class Teller final : public Events {
 public:
  Teller(EventOptions options, support::Console& console, std::stop_token stop)
      : m_options(std::move(options)), m_console(console), m_stop(std::move(stop)) {}

  void tell(const Event& event) override {
    const std::string line = to_line(event);
    try {
      if (!m_options.targets.file.empty()) append_durably(m_options.targets.file, line);
    } catch (const support::Error& error) {
      m_console.warning(
          fmt::format("event '{}' is not noted: {}", to_string(event.type), error.what()));
    }
    if (m_options.targets.webhook.empty()) return;
    try {
      post(line);
    } catch (const support::Error& error) {
      m_console.warning(fmt::format("event '{}' is not posted to {}: {}", to_string(event.type),
                                    split_url(m_options.targets.webhook).first, error.what()));
    } catch (const support::Cancelled&) {
      m_console.warning(
          fmt::format("event '{}' is not posted: the job was cancelled", to_string(event.type)));
    }
  }

 private:
  void post(const std::string& line) {
    const auto [base, target] = split_url(m_options.targets.webhook);
    if (!m_client) m_client = net::make_http_client({.base_url = base});
    net::HttpRequest request{
        .method = "POST",
        .target = target,
        .headers = {{"Content-Type", "application/json"},
                    {"User-Agent", fmt::format("berth/{}", support::version())}},
        .body = line,
        .max_body = 65536};
    if (!m_options.targets.token_file.empty()) {
      std::string token = support::read_file(m_options.targets.token_file, k_max_token);
      while (!token.empty() && token.back() <= ' ') token.pop_back();
      request.secret_headers.push_back(
          {.name = "Authorization", .value = support::Secret("Bearer " + token)});
    }
    for (unsigned attempt = 1;; ++attempt) {
      std::string trouble;
      try {
        request.deadline = std::chrono::steady_clock::now() + m_options.try_limit;
        const net::HttpResponse answer = m_client->send(request, m_stop);
        if (answer.status >= 200 && answer.status < 300) return;
        trouble = fmt::format("status {}: {}", answer.status, support::one_line(answer.body, 200));
        if (!is_worth_another_try(answer.status)) throw support::SystemError(trouble);
      } catch (const net::HttpError& error) {
        trouble = error.what();
      }
      const auto wait =
          support::delay({.first = m_options.first_wait}, attempt, support::random_unit());
      if (attempt == k_tries || !support::sleep_for(wait, m_stop)) {
        throw support::SystemError(fmt::format("{} (tried {} times)", trouble, attempt));
      }
    }
  }

  EventOptions m_options;
  support::Console& m_console;
  std::stop_token m_stop;
  std::unique_ptr<net::HttpClient> m_client;
};

}  // namespace

std::string_view to_string(EventType type) {
  switch (type) {
    case EventType::refused:
      return "refused";
    case EventType::waiting:
      return "waiting";
    case EventType::started:
      return "started";
    case EventType::succeeded:
      return "succeeded";
    case EventType::failed:
      return "failed";
    case EventType::canceled:
      return "canceled";
    case EventType::lost:
      return "lost";
    case EventType::lock_ended:
      return "lock_ended";
    case EventType::locked:
      return "locked";
    case EventType::unlocked:
      return "unlocked";
    case EventType::approved:
      return "approved";
  }
  return "lost";
}

EventType type_of(Result result) {
  switch (result) {
    case Result::running:
      return EventType::started;
    case Result::success:
      return EventType::succeeded;
    case Result::failed:
      return EventType::failed;
    case Result::canceled:
      return EventType::canceled;
    case Result::lost:
      return EventType::lost;
  }
  return EventType::lost;
}

std::string to_line(const Event& event) {
  return ordered_json{{"event", to_string(event.type)},
                      {"at", iso_time(event.at)},
                      {"environment", event.deployment.environment},
                      {"text", event.text},
                      {"rule", event.rule},
                      {"deployment", to_json(event.deployment, false)}}
      .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::unique_ptr<Events> make_events(EventOptions options, support::Console& console,
                                    std::stop_token stop) {
  return std::make_unique<Teller>(std::move(options), console, std::move(stop));
}

}  // namespace berth::environments
