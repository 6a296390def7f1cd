#include "executor/docker/service_check.hpp"

#include "executor/docker/container_end.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::docker {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds k_interval{25};
/// After so long the engine is asked whether the services that are not ready
/// still run.
constexpr milliseconds k_round{500};

struct Waiting {
  const StartedService* service = nullptr;
  std::string address;
  /// Why the last try failed.
  std::string text;
  bool ready = false;
};

std::string ports_of(const StartedService& service) {
  std::string text;
  for (const std::uint16_t port : service.ports) {
    text += (text.empty() ? "" : ", ") + std::to_string(port);
  }
  return (service.ports.size() == 1 ? "port " : "any of ports ") + text;
}

/// Warns about a service that has ended. True: it has.
bool report_end(Engine& engine, const StartedService& service, core::Console& console,
                const std::stop_token& stop) {
  const auto end = find_end(engine, service.id, stop);
  if (!end) return false;
  console.warning(fmt::format("service '{}' {}; the job goes on without it{}", service.image,
                              explain(*end), quote_log(end->log)));
  return true;
}

void report_late(Engine& engine, const Waiting& waiting, milliseconds limit, core::Console& console,
                 const std::stop_token& stop) {
  const auto info = engine.find_container(waiting.service->id, stop);
  const std::string health = info && !info->state.health.empty()
                                 ? fmt::format(" (its HEALTHCHECK says {})", info->state.health)
                                 : std::string();
  console.warning(
      fmt::format("service '{}' did not answer on {} within {} s{}: {}; the job goes on{}",
                  waiting.service->image, ports_of(*waiting.service),
                  std::chrono::duration_cast<std::chrono::seconds>(limit).count(), health,
                  waiting.text, quote_log(log_tail(engine, waiting.service->id, stop))));
}

/// One round of questions; returns early when every service has answered.
void ask(agentlink::AgentClient& helper, std::vector<Waiting>& all, milliseconds limit,
         const std::stop_token& stop) {
  std::vector<protocol::ProbeTarget> targets;
  std::vector<Waiting*> owners;
  for (Waiting& waiting : all) {
    for (const std::uint16_t port : waiting.service->ports) {
      targets.push_back({.kind = protocol::ProbeKind::tcp,
                         .address = waiting.address,
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

void await_services(Engine& engine, agentlink::AgentClient& helper, const std::string& network,
                    const std::vector<StartedService>& services, milliseconds limit,
                    core::Console& console, std::stop_token stop) {
  std::vector<Waiting> waiting;
  for (const StartedService& service : services) {
    if (service.ports.empty()) {
      console.line(fmt::format("service '{}' exposes no port: not waited for", service.image));
      continue;
    }
    const auto info = engine.find_container(service.id, stop);
    if (!info || !info->state.running || !info->networks.contains(network)) {
      if (report_end(engine, service, console, stop)) continue;
    }
    if (!info || !info->networks.contains(network)) continue;
    const auto& endpoint = info->networks.at(network);
    waiting.push_back(
        {.service = &service,
         .address = endpoint.ip_address.empty() ? endpoint.ipv6_address : endpoint.ip_address,
         .text = {},
         .ready = false});
    if (waiting.back().address.empty()) {
      console.warning(fmt::format(
          "service '{}' has no address in the job's network: not waited for", service.image));
      waiting.pop_back();
    }
  }
  const Clock::time_point until = Clock::now() + limit;
  while (!waiting.empty()) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
    if (left.count() <= 0) break;
    ask(helper, waiting, std::min(left, k_round), stop);
    std::erase_if(waiting, [&](const Waiting& one) {
      return one.ready || report_end(engine, *one.service, console, stop);
    });
  }
  for (const Waiting& one : waiting) report_late(engine, one, limit, console, stop);
}

}  // namespace berth::docker
