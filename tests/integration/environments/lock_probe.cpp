// One "job" of kills.py: waits for an environment's lock, is inside for a moment, and leaves, as
// the stages of a deployment do. Says on standard output where it is, one line a step.
//
//     lock_probe LEDGER HEARTBEATS ENVIRONMENT ID SILENCE
//     lock_probe LEDGER HEARTBEATS ENVIRONMENT          what is left: history and lock, as JSON
//
// LEDGER is a directory, or kubernetes:NAMESPACE in the cluster of KUBECONFIG.

#include "executor/environments/deployment_json.hpp"
#include "executor/environments/file_ledger.hpp"
#include "executor/environments/heartbeat.hpp"
#include "executor/environments/kubernetes_ledger.hpp"
#include "executor/environments/lock_wait.hpp"
#include "executor/kubernetes/connect.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/console.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace {

using namespace berth;
using namespace berth::environments;

constexpr std::chrono::milliseconds k_inside{30};
constexpr std::int64_t k_job_time = 3600;

class Quiet final : public support::Console, public Events {
 public:
  void line(std::string_view) override {}
  void warning(std::string_view) override {}
  void tell(const Event&) override {}
};

void say(const char* step) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  support::write_all(STDOUT_FILENO, fmt::format("{} {:.6f}\n", step, now.count()),
                     "standard output");
}

std::unique_ptr<Ledger> open(std::string_view place, support::Console& console) {
  constexpr std::size_t k_keep = 100000;
  constexpr std::string_view k_in_cluster = "kubernetes:";
  if (!place.starts_with(k_in_cluster))
    return make_file_ledger({.root = place, .keep = k_keep, .host = "h"});
  const char* const kubeconfig = std::getenv("KUBECONFIG");
  settings::Kubernetes cluster;
  cluster.kubeconfig = kubeconfig == nullptr ? "" : kubeconfig;
  return make_kubernetes_ledger(
      kubernetes::connect(cluster, std::chrono::minutes(1), {}, console),
      {.name_space = std::string(place.substr(k_in_cluster.size())), .keep = k_keep, .host = "h"});
}

void play(Ledger& ledger, const std::filesystem::path& heartbeats, const std::string& environment,
          const std::string& id, std::chrono::seconds silence) {
  Quiet quiet;
  Deployment deployment;
  deployment.id = id;
  deployment.environment = environment;
  const Claim claim{.id = id,
                    .who = "https://gitlab/" + id,
                    .host = "h",
                    .until = support::unix_seconds() + k_job_time,
                    .heartbeat = (heartbeats / id).native(),
                    .silence = silence};
  make_heartbeat(claim.heartbeat, support::unix_seconds());
  const Heartbeat beat(claim.heartbeat, {}, heartbeat_interval(silence));
  say("waits");
  const settings::LockRule rule;
  wait_for_lock({.ledger = ledger,
                 .events = quiet,
                 .console = quiet,
                 .interval = std::chrono::milliseconds(20)},
                rule, claim, deployment);
  say("enters");
  ledger.begin(deployment);
  say("begun");
  std::this_thread::sleep_for(k_inside);
  ledger.finish(environment, id, {});
  say("finished");
  // From here on nothing of it may be inside.
  say("leaves");
  ledger.leave(environment, id);
  end_heartbeat(claim.heartbeat);
  say("left");
}

void tell_rest(Ledger& ledger, const std::string& environment) {
  nlohmann::ordered_json history = nlohmann::ordered_json::array();
  for (const Deployment& one : ledger.history(environment, 0)) {
    history.push_back(to_json(one, false));
  }
  const LockState state = ledger.lock_state(environment);
  fmt::print("{}\n", nlohmann::ordered_json{{"history", history},
                                            {"held", state.holder.has_value()},
                                            {"waiting", state.waiting.size()}}
                         .dump());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 6) return 2;
  try {
    Quiet console;
    const auto ledger = open(argv[1], console);
    if (argc == 4)
      tell_rest(*ledger, argv[3]);
    else
      play(*ledger, argv[2], argv[3], argv[4], std::chrono::seconds(std::stoi(argv[5])));
  } catch (const std::exception& error) {
    fmt::print(stderr, "lock_probe: {}\n", error.what());
    return 1;
  }
  return 0;
}
