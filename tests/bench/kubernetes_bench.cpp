#include "tests/bench/kubernetes_bench.hpp"

#include "cli/local/runner/control.hpp"
#include "executor/kubernetes/api/client.hpp"
#include "tests/bench/bare_pod.hpp"
#include "tests/bench/counting_proxy.hpp"
#include "tests/bench/daemon_job.hpp"
#include "tests/bench/played_job.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <fstream>
#include <latch>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace berth::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* k_image = "debian:bookworm";
constexpr const char* k_helper =
    "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v19.4.0";
constexpr int k_counted_jobs = 3;
constexpr int k_at_once = 50;
constexpr std::chrono::seconds k_idle{60};
constexpr std::chrono::seconds k_steady{20};

double between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

fs::path write_settings(const fs::path& file, const std::string& name_space,
                        const fs::path& kubeconfig) {
  std::ofstream out(file);
  out << "backend: kubernetes\nstate_dir: " << (file.parent_path() / "state").string()
      << "\nkubernetes:\n  namespace: " << name_space << "\n  helper_image: " << k_helper
      << "\n  pull_policy: if-not-present\n  poll_timeout: 600\n"
      << "  service_container_security_context: {privileged: true}\n";
  if (!kubeconfig.empty()) out << "  kubeconfig: " << kubeconfig.string() << '\n';
  return file;
}

/// A namespace of its own, which is removed with all that is in it.
class Namespace {
 public:
  Namespace(kubernetes::Client& client, std::string name)
      : m_client(client), m_name(std::move(name)) {
    m_client.create(k_resource, "",
                    {{"apiVersion", "v1"},
                     {"kind", "Namespace"},
                     {"metadata", {{"name", m_name}, {"labels", {{"berth-bench", m_name}}}}}},
                    {});
    // Without it no pod is admitted.
    const kubernetes::Resource accounts{.version = "v1", .plural = "serviceaccounts"};
    while (!m_client.find(accounts, m_name, "default", {})) {
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
  }
  ~Namespace() {
    try {
      m_client.remove(k_resource, "", m_name, {}, {});
    } catch (const std::exception& error) {
      fmt::print(stderr, "berth-bench: namespace {} is left: {}\n", m_name, error.what());
    }
  }
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  const std::string& name() const { return m_name; }

 private:
  static inline const kubernetes::Resource k_resource{.version = "v1", .plural = "namespaces"};
  kubernetes::Client& m_client;
  const std::string m_name;
};

void measure_one_by_one(kubernetes::Client& client, const std::string& name_space,
                        const Driver& driver, int runs, Results& results) {
  PodFollower follower(client, name_space);
  play_minimal(driver, {.image = k_image});  // the agent's ConfigMap is there from now on
  follower.await_all_gone();
  const nlohmann::json made = follower.last().object;
  for (int run = 0; run < runs; ++run) {
    const double bare =
        bare_pod_start(client, follower, manifest_like(made, fmt::format("bare-{}", run)));
    follower.await_all_gone();
    const Played job =
        play_minimal(driver, {.image = k_image, .script = k_script_that_stamps_its_end});
    follower.await_all_gone();
    const PodFollower::Life life = follower.last();
    results.samples["bare pod: created, runs, deleted"].add(bare);
    results.samples["minimal job"].add(job.total);
    results.samples["  config and prepare"].add(job.prepare);
    results.samples["  four stages"].add(job.stages);
    results.samples["  cleanup"].add(job.cleanup);
    results.samples["own overhead: minimal job less bare pod"].add(job.total - bare);
    results.samples["pod runs to first byte"].add(between(life.ready.value(), job.first_byte_at));
    results.samples["script's end to the driver's"].add(job.exit_lag);
    results.samples["job's end to pod gone"].add(between(job.ended_at, life.gone.value()));
    results.samples["floor: programs that do nothing"].add(
        play_minimal(nothing(), {.image = k_image}).total);
  }
}

void count_calls(CountingProxy& proxy, const Driver& driver, Results& results) {
  for (int job = 0; job < k_counted_jobs; ++job) play_minimal(driver, {.image = k_image});
  const auto calls = proxy.calls();
  std::set<long> connections;
  std::set<long> resumed;
  for (const auto& call : calls) {
    connections.insert(call.connection);
    if (call.resumed) resumed.insert(call.connection);
  }
  const auto per_job = [](std::size_t number) {
    return static_cast<double>(number) / k_counted_jobs;
  };
  results.values["API requests of a minimal job"] = per_job(calls.size());
  results.values["TLS connections of a minimal job"] = per_job(connections.size());
  results.values["TLS connections of a minimal job, resumed"] = per_job(resumed.size());
  const std::size_t before = proxy.count();
  play_minimal(driver, {.image = k_image, .script = fmt::format("sleep {}", k_idle.count())});
  results.values["API requests that an idle minute adds"] =
      static_cast<double>(proxy.count() - before) - per_job(calls.size());
}

/// Resident and proportional KiB of the programs of `bin` that run stages now.
struct Memory {
  int processes = 0;
  double resident = 0;
  double proportional = 0;
};

Memory memory_of_stages(const fs::path& bin) {
  Memory all;
  const std::string wanted = (fs::canonical(bin) / "berth-run").string();
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code gone;
    const std::string program = fs::read_symlink(entry.path() / "exe", gone).string();
    if (gone || !program.starts_with(wanted)) continue;
    std::ifstream file(entry.path() / "smaps_rollup");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("Rss:")) all.resident += std::stod(line.substr(4));
      if (line.starts_with("Pss:")) all.proportional += std::stod(line.substr(4));
    }
    ++all.processes;
  }
  return all;
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Many jobs whose scripts only wait; cancelled when all of them have been seen
/// to do so for a while.
void measure_at_once(CountingProxy& proxy, const Driver& driver, const fs::path& bin,
                     Results& results) {
  std::latch waiting(k_at_once);
  std::atomic<int> failures{0};
  std::vector<std::unique_ptr<local::runner::Control>> controls;
  for (int slot = 0; slot < k_at_once; ++slot) {
    controls.push_back(std::make_unique<local::runner::Control>());
  }
  const std::size_t before = proxy.count();
  const auto begin = Clock::now();
  std::vector<std::jthread> jobs;
  for (int slot = 0; slot < k_at_once; ++slot) {
    jobs.emplace_back([&, slot] {
      std::string seen;
      bool counted = false;
      const auto watch_output = [&](std::string_view bytes) {
        if (counted) return;
        seen += bytes;
        if (seen.find("bench job waits") == std::string::npos) return;
        counted = true;
        waiting.count_down();
      };
      try {
        play_minimal(driver, {.image = k_image,
                              .slot = slot,
                              .script = "echo bench job waits; sleep 3600",
                              .on_output = watch_output,
                              .control = controls[static_cast<std::size_t>(slot)].get()});
      } catch (const std::exception& error) {
        fmt::print(stderr, "berth-bench: job {}: {}\n", slot, error.what());
        ++failures;
      }
      if (!counted) waiting.count_down();
    });
  }
  waiting.wait();
  results.values["50 at once: seconds until all scripts wait"] = between(begin, Clock::now());
  const Memory memory = memory_of_stages(bin);
  const double steady_from = wall_seconds();
  std::this_thread::sleep_for(k_steady);
  const double steady_to = wall_seconds();
  for (const auto& control : controls) control->cancel();
  jobs.clear();
  const auto calls = proxy.calls();
  const auto steady = std::count_if(calls.begin(), calls.end(), [&](const auto& call) {
    return call.began >= steady_from && call.began < steady_to;
  });
  results.values["50 at once: API requests a second while all wait"] =
      static_cast<double>(steady) / (steady_to - steady_from);
  results.values["50 at once: API requests of one job"] =
      static_cast<double>(calls.size() - before) / k_at_once;
  results.values["50 at once: MiB resident of a waiting driver"] =
      memory.resident / 1024 / std::max(memory.processes, 1);
  results.values["50 at once: MiB of its own of a waiting driver"] =
      memory.proportional / 1024 / std::max(memory.processes, 1);
  results.values["50 at once: jobs that failed"] = failures;
}

}  // namespace

Results measure_kubernetes(const fs::path& bin, const fs::path& folder, int runs) {
  kubernetes::Connection connection = kubernetes::load_connection({});
  kubernetes::Client client(connection);
  const Namespace own(client, fmt::format("berth-bench-{}", ::getpid()));
  connection.default_namespace = own.name();
  Driver driver = berth_in(bin);
  driver.settings = write_settings(folder / "berth.yaml", own.name(), {});
  Results results;
  measure_one_by_one(client, own.name(), driver, runs, results);
  CountingProxy proxy(connection, folder / "proxy");
  driver.settings = write_settings(folder / "counted.yaml", own.name(), proxy.kubeconfig());
  count_calls(proxy, driver, results);
  measure_at_once(proxy, driver, bin, results);
  return results;
}

Results measure_kubernetes_daemons(const fs::path& bin, const fs::path& folder, int runs) {
  const kubernetes::Connection connection = kubernetes::load_connection({});
  kubernetes::Client client(connection);
  const Namespace own(client, fmt::format("berth-bench-{}", ::getpid()));
  Driver driver = berth_in(bin);
  driver.settings = write_settings(folder / "berth.yaml", own.name(), {});
  Results results;
  PodFollower follower(client, own.name());
  play_minimal(driver, {.image = k_image});
  follower.await_all_gone();
  for (int run = 0; run < runs; ++run) {
    for (const DaemonMode& mode : daemon_modes()) {
      const auto begin = Clock::now();
      const auto usable = play_with_daemon(driver, mode, {});
      follower.await_all_gone();
      const auto ready = follower.last().ready.value();
      results.samples["containers run to the client's first try, " + mode.name].add(
          between(ready, usable));
      results.samples["job's start to the client's first try, " + mode.name].add(
          between(begin, usable));
    }
    results.samples["minimal job"].add(play_minimal(driver, {.image = k_image}).total);
    follower.await_all_gone();
  }
  for (const DaemonMode& mode : daemon_modes()) {
    results.values["median seconds to a usable daemon, " + mode.name] =
        results.samples.at("containers run to the client's first try, " + mode.name).quantile(0.5);
  }
  return results;
}

}  // namespace berth::bench
