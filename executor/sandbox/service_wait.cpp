#include "executor/sandbox/service_wait.hpp"

#include "executor/sandbox/container_end.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::sandbox {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds k_interval{25};
/// After so long it is asked whether the services that are not ready still run.
constexpr milliseconds k_round{500};

struct Waiting {
  const AwaitedService* service = nullptr;
  /// Why the last try failed.
  std::string text;
  bool ready = false;
};

std::string ports_of(const AwaitedService& service) {
  std::string text;
  for (const std::uint16_t port : service.ports) {
    text += (text.empty() ? "" : ", ") + std::to_string(port);
  }
  return (service.ports.size() == 1 ? "port " : "any of ports ") + text;
}

/// Warns about a service that has ended. True: it has.
bool report_end(const AwaitedService& service, support::Console& console) {
  const auto words = service.ended();
  if (words) warn_of_ended_service(service.image, *words, console);
  return words.has_value();
}

void report_late(const Waiting& waiting, milliseconds limit, support::Console& console) {
  const AwaitedService::Late late = waiting.service->late();
  console.warning(
      fmt::format("service '{}' did not answer on {} within {} s{}: {}; the job goes on{}",
                  waiting.service->image, ports_of(*waiting.service),
                  std::chrono::duration_cast<std::chrono::seconds>(limit).count(), late.remark,
                  waiting.text, quote_log(late.log)));
}

/// One round of questions; returns early when every service has answered.
void ask(agentlink::AgentClient& helper, std::vector<Waiting>& all, milliseconds limit,
         const std::stop_token& stop) {
  std::vector<protocol::ProbeTarget> targets;
  std::vector<Waiting*> owners;
  for (Waiting& waiting : all) {
    for (const std::uint16_t port : waiting.service->ports) {
      targets.push_back({.kind = protocol::ProbeKind::tcp,
                         .address = waiting.service->address,
                         .port = port,
                         .http_path = {}});
      owners.push_back(&waiting);
    }
  }
  std::stop_source enough;
  const std::stop_callback forward(stop, [&enough] { enough.request_stop(); });
  const auto decided = [&](std::size_t index, const agentlink::AgentClient::ProbeResult& result) {
    Waiting& waiting = *owners.at(index);
    waiting.ready = waiting.ready || result.answered;
    if (!result.answered) waiting.text = result.text;
    // A service is ready with its first port, the question only with its last.
    if (std::all_of(all.begin(), all.end(), [](const Waiting& one) { return one.ready; })) {
      enough.request_stop();
    }
  };
  try {
    helper.probe(targets, limit, k_interval, enough.get_token(), decided);
  } catch (const support::Cancelled&) {
    if (stop.stop_requested()) throw;
  }
}

}  // namespace

void warn_of_ended_service(const std::string& image, const std::string& words,
                           support::Console& console) {
  const std::size_t line_end = std::min(words.find('\n'), words.size());
  console.warning(fmt::format("service '{}' {}; the job goes on without it{}", image,
                              words.substr(0, line_end), words.substr(line_end)));
}

void await_services(const ConnectHelper& connect, const std::vector<AwaitedService>& services,
                    milliseconds limit, support::Console& console, std::stop_token stop) {
  std::vector<Waiting> waiting;
  waiting.reserve(services.size());
  for (const AwaitedService& service : services) {
    waiting.push_back({.service = &service, .text = {}, .ready = false});
  }
  agentlink::AgentClient helper = connect();
  Clock::time_point until = Clock::now() + limit;
  while (!waiting.empty()) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
    if (left.count() <= 0) break;
    const Clock::time_point asked = Clock::now();
    try {
      ask(helper, waiting, std::min(left, k_round), stop);
    } catch (const agentlink::ConnectionLost&) {
      helper = connect();
      until += Clock::now() - asked;
    }
    std::erase_if(waiting, [&](const Waiting& one) {
      return one.ready || report_end(*one.service, console);
    });
  }
  for (const Waiting& one : waiting) report_late(one, limit, console);
}

}  // namespace berth::sandbox
