#pragma once

#include "executor/environments/workloads/comparison.hpp"
#include "executor/environments/workloads/failure.hpp"
#include "executor/environments/workloads/pod_view.hpp"
#include "executor/environments/workloads/progress.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace berth::environments::workloads {

/// What the gate waits for.
struct Subject {
  Id id{};
  std::string uid{};
  /// Before the script; "" where it was not there.
  std::string revision_before{};
};

/// What a deployment created, changed or remade, but for what has an owner of its own.
std::vector<Subject> subjects_of(const std::vector<Difference>& differences, const Snapshot& after);

struct GateOptions {
  /// Everything must be healthy by then.
  std::chrono::seconds timeout{600};
  /// A container that ends for the third time will not come to run.
  int crash_restarts = 2;
  /// How long it must stay so before it counts as certain: autoscalers bring nodes, old
  /// pods free quota as they end, registries come back.
  std::chrono::seconds unschedulable{60};
  std::chrono::seconds refused{10};
  std::chrono::seconds configuration{15};
  std::chrono::seconds pull{120};
  /// A failed Job may be known before the pod that it failed by: each kind's news comes
  /// by a way of its own.
  std::chrono::seconds evidence{2};
  /// Pods without a readiness probe count as ready once they have started, also those
  /// that end a moment later: so long they must go on.
  std::chrono::seconds settle{5};
  /// Healthy workloads are watched so long for containers that end or stop being ready.
  std::chrono::seconds soak{0};
  /// Between both: somebody asks an HTTP address, see Gate::answered().
  bool probe = false;
};

/// What an object is that the gate is shown. The first five are Kind's.
enum class Seen { deployment, stateful_set, daemon_set, job, cron_job, replica_set, pod, event };

/// Decides whether what a deployment changed becomes healthy: fed with the objects of its
/// namespace as they change, asked now and then. Pure: it has no clock, makes no calls.
class Gate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Phase { rolling, probing, soaking, passed, failed };

  Gate(std::vector<Subject> subjects, const GateOptions& options, TimePoint now);

  void see(Seen what, const nlohmann::json& object);
  void forget(Seen what, const nlohmann::json& object);
  /// Rights are missing for these.
  void cannot_see(Seen what) { m_unseen.insert(what); }
  /// The HTTP probe's last answer; counts while probing.
  void answered(bool good, const std::string& text);

  struct Step {
    /// For the job log: what changed since the last look.
    std::vector<std::string> lines{};
    Phase phase = Phase::rolling;
    /// With Phase::failed.
    std::optional<Failure> failure{};
  };
  Step look(TimePoint now);

  /// What is worth to know though it passed: rollouts made twice.
  std::vector<std::string> notes() const;

 private:
  struct State {
    Subject subject{};
    std::optional<Workload> workload{};
    Progress progress{};
    bool gone = false;
    std::string said{};
  };
  struct ReplicaSet {
    std::string owner_uid{};
    std::string revision{};
  };
  struct Told {
    std::string reason{};
    std::string message{};
    std::int64_t at = 0;
  };

  std::vector<const PodView*> current_pods(const State& state) const;
  bool is_current(const PodView& pod, const State& state) const;
  std::optional<Failure> judge(const State& state, TimePoint now);
  std::optional<Failure> judge_refusal(const State& state, TimePoint now);
  std::optional<Failure> judge_pod(const State& state, const PodView& pod, TimePoint now);
  std::optional<Failure> judge_container(const State& state, const PodView& pod,
                                         const ContainerView& container, TimePoint now);
  /// The most telling words on why its pods are not ready.
  std::optional<Failure> explanation(const State& state) const;
  /// Nothing while its pods may still tell more.
  std::optional<Failure> job_failure(const State& state, TimePoint now);
  bool settled(TimePoint now);
  std::optional<Failure> judge_soak(TimePoint now);
  std::optional<Failure> judge_time(TimePoint now);
  bool lasts(const std::string& what, std::chrono::seconds patience, TimePoint now);
  const Told* told_of(const std::string& uid, std::string_view reason) const;
  int restarts() const;
  bool roll(Step& step, TimePoint now);

  const GateOptions m_options;
  const TimePoint m_deadline;
  std::vector<State> m_states;
  std::map<std::string, PodView> m_pods;
  std::map<std::string, ReplicaSet> m_replica_sets;
  /// Uid and reason -> the last of such events.
  std::map<std::pair<std::string, std::string>, Told> m_events;
  std::set<Seen> m_unseen;
  std::map<std::string, TimePoint> m_since;
  std::set<std::string> m_still;
  Phase m_phase = Phase::rolling;
  std::optional<TimePoint> m_steady_since;
  int m_steady_restarts = 0;
  TimePoint m_soak_since{};
  bool m_probe_good = false;
  std::string m_probe_text;
};

}  // namespace berth::environments::workloads
