#include "executor/environments/workloads/gate.hpp"

#include "executor/environments/workloads/json_reading.hpp"
#include "executor/environments/workloads/read_workload.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;

bool is_workload(Seen what) {
  return static_cast<std::size_t>(what) < k_kinds.size();
}

std::string uid_of(const json& object) {
  return word(member(object, "metadata"), "uid");
}

int revision_number(const std::string& revision) {
  int number = 0;
  std::from_chars(revision.data(), revision.data() + revision.size(), number);
  return number;
}

std::int64_t event_time(const json& event) {
  std::int64_t at = seconds(member(event, "series"), "lastObservedTime");
  for (const char* key : {"lastTimestamp", "eventTime", "firstTimestamp"})
    at = std::max(at, seconds(event, key));
  return at;
}

}  // namespace

std::vector<Subject> subjects_of(const std::vector<Difference>& differences,
                                 const Snapshot& after) {
  using What = Difference::What;
  std::vector<Subject> subjects;
  for (const Difference& one : differences) {
    const Workload* workload = after.find(one.id);
    if (workload == nullptr || one.what == What::moved_tag || workload->owned) continue;
    subjects.push_back({.id = one.id,
                        .uid = workload->uid,
                        .revision_before = one.what == What::changed ? one.revision_before : ""});
  }
  return subjects;
}

Gate::Gate(std::vector<Subject> subjects, const GateOptions& options, TimePoint now)
    : m_options(options), m_deadline(now + options.timeout) {
  for (Subject& one : subjects) m_states.push_back({.subject = std::move(one)});
}

void Gate::see(Seen what, const json& object) {
  const std::string uid = uid_of(object);
  if (is_workload(what)) {
    const Kind kind = k_kinds.at(static_cast<std::size_t>(what));
    for (State& state : m_states) {
      if (state.subject.id.kind != kind) continue;
      if (word(member(object, "metadata"), "name") != state.subject.id.name) continue;
      // Deleted and made anew by somebody: what stands there now counts.
      state.subject.uid = uid;
      state.gone = false;
      state.workload = read_workload(kind, object);
      state.progress = judge_progress(kind, object);
    }
  } else if (what == Seen::pod) {
    m_pods[uid] = read_pod(object);
  } else if (what == Seen::replica_set) {
    m_replica_sets[uid] = {.owner_uid = word(controller(object), "uid"),
                           .revision = word(member(member(object, "metadata"), "annotations"),
                                            "deployment.kubernetes.io/revision")};
  } else {
    const std::pair key{word(member(object, "involvedObject"), "uid"), word(object, "reason")};
    const std::int64_t at = event_time(object);
    Told& told = m_events[key];
    if (at >= told.at)
      told = {
          .reason = key.second, .message = support::one_line(word(object, "message")), .at = at};
  }
}

void Gate::forget(Seen what, const json& object) {
  const std::string uid = uid_of(object);
  if (what == Seen::pod) {
    m_pods.erase(uid);
  } else if (what == Seen::replica_set) {
    m_replica_sets.erase(uid);
  } else if (is_workload(what)) {
    for (State& state : m_states) state.gone = state.gone || state.subject.uid == uid;
  }
}

void Gate::answered(bool good, const std::string& text) {
  m_probe_good = good;
  m_probe_text = text;
}

const Gate::Told* Gate::told_of(const std::string& uid, std::string_view reason) const {
  const auto found = m_events.find({uid, std::string(reason)});
  return found == m_events.end() ? nullptr : &found->second;
}

bool Gate::is_current(const PodView& pod, const State& state) const {
  const Workload& workload = *state.workload;
  const auto as_the_manifest_says = [&] {
    return pod.created >= workload.changed_at &&
           std::all_of(workload.images.begin(), workload.images.end(), [&](const Image& one) {
             const auto image = pod.images.find(one.container);
             return image != pod.images.end() && image->second == one.image;
           });
  };
  switch (workload.id.kind) {
    case Kind::deployment: {
      if (m_unseen.contains(Seen::replica_set)) {
        return pod.owner_kind == "ReplicaSet" && pod.name.starts_with(workload.id.name + "-") &&
               as_the_manifest_says();
      }
      const auto owner = m_replica_sets.find(pod.owner_uid);
      return owner != m_replica_sets.end() && owner->second.owner_uid == workload.uid &&
             owner->second.revision == workload.revision;
    }
    case Kind::stateful_set:
      return pod.owner_uid == workload.uid && pod.revision_hash == workload.revision;
    case Kind::daemon_set:
      return pod.owner_uid == workload.uid && as_the_manifest_says();
    case Kind::job:
      return pod.owner_uid == workload.uid;
    case Kind::cron_job:
      break;
  }
  return false;
}

std::vector<const PodView*> Gate::current_pods(const State& state) const {
  std::vector<const PodView*> pods;
  if (!state.workload || !state.progress.observed) return pods;
  for (const auto& [uid, pod] : m_pods) {
    if (!pod.being_deleted && is_current(pod, state)) pods.push_back(&pod);
  }
  return pods;
}

bool Gate::lasts(const std::string& what, std::chrono::seconds patience, TimePoint now) {
  m_still.insert(what);
  return now - m_since.try_emplace(what, now).first->second >= patience;
}

bool Gate::roll(Step& step, TimePoint now) {
  bool all_done = true;
  m_still.clear();
  for (State& state : m_states) {
    if (auto failure = judge(state, now)) {
      step.failure = std::move(failure);
      return false;
    }
    const bool done = state.workload && state.progress.done;
    all_done = all_done && done;
    const std::string text = done ? "done" : !state.workload ? "not seen yet" : state.progress.text;
    if (text == state.said) continue;
    state.said = text;
    step.lines.push_back(fmt::format("{}: {}", state.subject.id.text(), text));
  }
  std::erase_if(m_since, [&](const auto& entry) { return !m_still.contains(entry.first); });
  return all_done;
}

int Gate::restarts() const {
  int all = 0;
  for (const State& state : m_states) {
    if (state.subject.id.kind == Kind::job) continue;
    for (const PodView* pod : current_pods(state)) all += pod->restarts();
  }
  return all;
}

bool Gate::settled(TimePoint now) {
  bool needed = false;
  for (const State& state : m_states) {
    if (state.subject.id.kind == Kind::job || state.subject.id.kind == Kind::cron_job) continue;
    const std::vector<const PodView*> pods = current_pods(state);
    const bool all_probed = std::all_of(pods.begin(), pods.end(), [](const PodView* pod) {
      return std::all_of(
          pod->containers.begin(), pod->containers.end(),
          [](const ContainerView& one) { return one.init || one.has_readiness_probe; });
    });
    needed = needed || pods.empty() || !all_probed;
  }
  const int count = restarts();
  if (!m_steady_since || count != m_steady_restarts) {
    m_steady_since = now;
    m_steady_restarts = count;
  }
  return !needed || now - *m_steady_since >= m_options.settle;
}

std::optional<Failure> Gate::judge_soak(TimePoint now) {
  for (const State& state : m_states) {
    if (state.subject.id.kind == Kind::job || !state.workload) continue;
    Failure failure{.trouble = Trouble::unstable, .workload = state.subject.id};
    const auto after = std::chrono::duration_cast<std::chrono::seconds>(now - m_soak_since);
    if (restarts() > m_steady_restarts) {
      if (auto why = explanation(state)) failure = *why;
      failure.trouble = Trouble::unstable;
      failure.text = fmt::format("{} was healthy, and a container of it ended within {} s{}",
                                 state.subject.id.text(), after.count(),
                                 failure.text.empty() ? "" : ": " + failure.text);
      return failure;
    }
    if (!state.progress.done) {
      if (auto why = explanation(state)) failure = *why;
      failure.trouble = Trouble::unstable;
      failure.text =
          fmt::format("{} was healthy, and is not any more after {} s: {}", state.subject.id.text(),
                      after.count(), failure.text.empty() ? state.progress.text : failure.text);
      return failure;
    }
  }
  return std::nullopt;
}

std::optional<Failure> Gate::judge_time(TimePoint now) {
  if (now < m_deadline) return std::nullopt;
  if (m_phase == Phase::probing) {
    return Failure{.trouble = Trouble::probe,
                   .workload = m_states.empty() ? Id{} : m_states.front().subject.id,
                   .text = "all workloads are ready, and the HTTP probe fails: " + m_probe_text};
  }
  for (const State& state : m_states) {
    if (state.workload && state.progress.done) continue;
    Failure failure{.trouble = Trouble::timeout, .workload = state.subject.id};
    std::string why = state.workload ? state.progress.text : "not seen";
    if (auto known = explanation(state)) {
      failure = *known;
      why = known->text;
    }
    failure.text = fmt::format("{} is not ready within {} s: {}", state.subject.id.text(),
                               m_options.timeout.count(), why);
    return failure;
  }
  return Failure{.trouble = Trouble::timeout,
                 .workload = m_states.empty() ? Id{} : m_states.front().subject.id,
                 .text = fmt::format("containers keep ending: no {} s without one within {} s",
                                     m_options.settle.count(), m_options.timeout.count())};
}

Gate::Step Gate::look(TimePoint now) {
  Step step{.phase = m_phase};
  if (m_phase == Phase::passed || m_phase == Phase::failed) return step;
  const bool all_done = roll(step, now);
  const Phase before = m_phase;
  if (!step.failure && m_phase == Phase::soaking) {
    step.failure = judge_soak(now);
    if (!step.failure && now - m_soak_since >= m_options.soak) m_phase = Phase::passed;
  } else if (!step.failure && all_done && (m_phase == Phase::probing || settled(now))) {
    if (m_options.probe && !m_probe_good) {
      m_phase = Phase::probing;
    } else {
      m_phase = m_options.soak.count() > 0 ? Phase::soaking : Phase::passed;
      m_soak_since = now;
    }
  } else if (!all_done) {
    m_steady_since.reset();
    m_phase = m_phase == Phase::soaking ? m_phase : Phase::rolling;
    m_probe_good = false;
  }
  const bool over = m_phase == Phase::passed || m_phase == Phase::soaking;
  if (!step.failure && !over) step.failure = judge_time(now);
  if (step.failure) m_phase = Phase::failed;
  if (m_phase == Phase::soaking && before != Phase::soaking) {
    step.lines.push_back(
        fmt::format("everything is ready; watched for {} s more", m_options.soak.count()));
  }
  step.phase = m_phase;
  return step;
}

std::vector<std::string> Gate::notes() const {
  std::vector<std::string> notes;
  for (const State& state : m_states) {
    if (state.subject.id.kind != Kind::deployment || !state.workload) continue;
    const int before = revision_number(state.subject.revision_before);
    const int now = revision_number(state.workload->revision);
    // Of what was not there, or what nobody saw before, there is nothing to count from.
    if (before == 0 || now - before < 2) continue;
    notes.push_back(fmt::format(
        "{} was rolled out {} times by one deployment (revision {}, then {}), as `kubectl apply` "
        "and then `kubectl set image` do: pods of the first were started for nothing; put the "
        "image into the manifest before it is applied",
        state.subject.id.text(), now - before, now - 1, now));
  }
  return notes;
}

}  // namespace berth::environments::workloads
