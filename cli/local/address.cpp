#include "cli/local/address.hpp"

#include "cli/local/runner/attempt.hpp"
#include "executor/agentlink/client.hpp"
#include "executor/agentlink/socket_transport.hpp"
#include "executor/state/sandbox.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>

namespace berth::local {
namespace {

using namespace std::chrono_literals;

constexpr auto k_probe_limit = 5s;
constexpr auto k_sandbox_limit = 10min;

/// Takes what the driver says, to tell it when something fails.
class Words final : public runner::Observer {
 public:
  void section_begin(std::string_view, std::string_view) override {}
  void section_end(std::string_view) override {}
  void output(runner::Program, std::string_view, runner::Stream, std::string_view bytes) override {
    said.append(bytes);
  }
  void note(runner::NoteLevel, std::string_view) override {}
  void call_ended(const runner::CallRecord&) override {}
  std::string said;
};

/// The agent's own verdict; nothing where its socket cannot be reached from here.
std::optional<std::vector<bool>> ask_agent(const AddressQuestion& question,
                                           const std::vector<std::string>& candidates,
                                           const std::filesystem::path& tmpdir) {
  const auto sandbox = state::read_sandbox(tmpdir);
  if (!sandbox || !sandbox->values.contains("helper.socket_dir")) return std::nullopt;
  std::vector<protocol::ProbeTarget> targets;
  targets.reserve(candidates.size());
  for (const std::string& address : candidates) {
    targets.push_back({.kind = protocol::ProbeKind::http,
                       .address = address,
                       .port = question.port,
                       .http_path = question.path});
  }
  try {
    const auto transport = agentlink::make_socket_transport(
        std::filesystem::path(sandbox->values.at("helper.socket_dir")));
    auto client = agentlink::AgentClient::connect(
        *transport, std::chrono::steady_clock::now() + k_probe_limit, {});
    std::stop_source found;
    std::vector<bool> answered(targets.size(), false);
    try {
      client.probe(targets, k_probe_limit, 100ms, found.get_token(),
                   [&](std::size_t index, const agentlink::AgentClient::ProbeResult& result) {
                     answered[index] = result.answered;
                     if (result.answered) found.request_stop();  // one is enough
                   });
    } catch (const support::Cancelled&) {
    }
    return answered;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

/// The same by git in the helper, one after the other.
std::vector<bool> ask_helper(const AddressQuestion& question,
                             const std::vector<std::string>& candidates, runner::Attempt& attempt,
                             Words& words) {
  std::string script = "cd /; export GIT_TERMINAL_PROMPT=0\n";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    // Any HTTP answer will do: git's error then names the server's reply.
    script += fmt::format(
        "case \"$(timeout 3 git ls-remote http://{}:{}{} 2>&1)\" in *'{}'*) echo "
        "berth-answers-{}-; exit 0;; esac\n",
        url_host(candidates[i]), question.port, question.path, "not found", i);
  }
  words.said.clear();
  runner::Scope scope;
  attempt.run("get_sources", script,
              scope.until(std::chrono::steady_clock::now() + k_sandbox_limit,
                          runner::Stop::program_timeout));
  std::vector<bool> answered(candidates.size(), false);
  for (std::size_t i = 0; i < answered.size(); ++i) {
    answered[i] = words.said.find(fmt::format("berth-answers-{}-", i)) != std::string::npos;
  }
  return answered;
}

/// The first of these that answered, if any.
std::string first_to_answer(const AddressQuestion& question,
                            const std::vector<std::string>& candidates, runner::Attempt& attempt,
                            Words& words) {
  const auto by_agent = ask_agent(question, candidates, attempt.directory());
  const std::vector<bool> answered =
      by_agent ? *by_agent : ask_helper(question, candidates, attempt, words);
  const auto first = std::ranges::find(answered, true);
  return first == answered.end() ? std::string()
                                 : candidates[static_cast<std::size_t>(first - answered.begin())];
}

/// Addresses that lie nearest to containers come first.
int rank(std::string_view interface) {
  if (interface.starts_with("docker")) return 0;
  if (interface.starts_with("br-") || interface.starts_with("veth")) return 1;
  return 2;
}

}  // namespace

std::vector<std::string> host_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::vector<std::pair<int, std::string>> found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_LOOPBACK) != 0 ||
        (entry->ifa_flags & IFF_UP) == 0) {
      continue;
    }
    char text[INET6_ADDRSTRLEN] = {};
    if (entry->ifa_addr->sa_family == AF_INET) {
      const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
      ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
      found.emplace_back(rank(entry->ifa_name), text);
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      const auto* address = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) continue;
      ::inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof text);
      found.emplace_back(10 + rank(entry->ifa_name), text);
    }
  }
  std::ranges::stable_sort(found, {}, &std::pair<int, std::string>::first);
  std::vector<std::string> result;
  result.reserve(found.size());
  for (auto& [order, address] : found) result.push_back(std::move(address));
  return result;
}

std::string url_host(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

std::string find_address(const AddressQuestion& question,
                         const std::function<void(std::string_view)>& explain) {
  Words words;
  runner::BuildContext context(question.config, question.payload);
  context.expand_container_names();
  std::vector<runner::CallRecord> calls;
  runner::Attempt attempt(context, question.control, words, calls, 1);
  runner::Scope scope;
  const auto failure = attempt.prepare(scope.until(
      std::chrono::steady_clock::now() + k_sandbox_limit, runner::Stop::program_timeout));
  std::string address;
  if (question.control.cancel_requested()) {
    // Nobody waits for an address any more.
  } else if (failure) {
    explain(fmt::format("no container could be made to try addresses from: {}\n{}",
                        failure->message, words.said));
  } else {
    if (!question.known.empty())
      address = first_to_answer(question, {question.known}, attempt, words);
    if (address.empty()) address = first_to_answer(question, question.candidates, attempt, words);
    if (address.empty()) {
      explain(fmt::format("none of this machine's addresses answers from a container: {}",
                          fmt::join(question.candidates, ", ")));
    }
  }
  attempt.cleanup();
  return address;
}

}  // namespace berth::local
