#include "executor/environments/workloads/run_gate.hpp"

#include "executor/environments/workloads/follow.hpp"
#include "executor/support/retry.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace berth::environments::workloads {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_look{500};
constexpr std::chrono::seconds k_ask{2};
constexpr unsigned k_log_lines = 15;

std::set<Seen> kinds_for(const std::vector<Subject>& subjects) {
  std::set<Seen> kinds = {Seen::pod, Seen::event};
  for (const Subject& one : subjects) {
    kinds.insert(static_cast<Seen>(one.id.kind));
    if (one.id.kind == Kind::deployment) kinds.insert(Seen::replica_set);
  }
  return kinds;
}

const char* name_of(Seen kind) {
  switch (kind) {
    case Seen::pod:
      return "pods";
    case Seen::event:
      return "events";
    case Seen::replica_set:
      return "replicasets";
    default:
      return "workloads";
  }
}

/// Without its own objects a workload cannot be judged at all.
bool is_needed(Seen kind) {
  return kind != Seen::pod && kind != Seen::event && kind != Seen::replica_set;
}

void take(Gate& gate, const Follow::News& news, const std::string& name_space,
          support::Console& console) {
  using What = Follow::News::What;
  switch (news.what) {
    case What::seen:
      gate.see(news.kind, *news.object);
      return;
    case What::gone:
      gate.forget(news.kind, *news.object);
      return;
    case What::listed:
      return;
    case What::forbidden:
      break;
  }
  if (is_needed(news.kind)) {
    throw support::OperatorError(
        fmt::format("health gate: what was deployed to namespace '{}' cannot be watched: {}",
                    name_space, news.text),
        "the credential needs get and list on Deployments, StatefulSets, DaemonSets and Jobs");
  }
  gate.cannot_see(news.kind);
  console.line(
      fmt::format("health gate: the {} of namespace '{}' cannot be listed, so causes will "
                  "be told less well: {}",
                  name_of(news.kind), name_space, news.text));
}

class Prober {
 public:
  explicit Prober(const HttpProbe& probe) : m_probe(probe) {}

  void ask_when_due(Gate& gate, support::Console& console, const std::stop_token& stop) {
    const auto now = steady_clock::now();
    if (now < m_next) return;
    const ProbeAnswer answer = ask(m_probe, stop);
    if (answer.text != m_said) console.line("health gate: " + answer.text);
    m_said = answer.text;
    gate.answered(answer.good, answer.text);
    m_next = steady_clock::now() + k_ask;
  }

 private:
  const HttpProbe& m_probe;
  steady_clock::time_point m_next{};
  std::string m_said;
};

}  // namespace

std::string Verdict::cause() const {
  if (!failure) return {};
  std::string text = failure->text;
  if (!log.empty()) text += fmt::format("; last words: {}", support::one_line(log.back(), 200));
  return text;
}

std::vector<std::string> last_log_lines(kubernetes::Client& client, const std::string& name_space,
                                        const Failure& failure, std::stop_token stop) {
  if (failure.pod.empty()) return {};
  std::string text;
  try {
    text = client.logs(name_space, failure.pod,
                       {.container = failure.container,
                        .tail_lines = k_log_lines,
                        .max_bytes = std::size_t{8} << 10,
                        .previous = failure.previous},
                       stop);
  } catch (const support::Error&) {
    return {};  // it only explains
  }
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (const std::string line = support::one_line(text.substr(at, end - at)); !line.empty())
      lines.push_back(line);
    at = end + 1;
  }
  return lines;
}

Verdict run_gate(kubernetes::Client& client, const GateRun& run, support::Console& console,
                 std::stop_token stop) {
  GateOptions options = run.options;
  options.probe = !run.probe.url.empty();
  Gate gate(run.subjects, options, steady_clock::now());
  Prober prober(run.probe);
  std::optional<Follow> follow;
  // A failed Job without its pods has no cause, and a Deployment without them seems
  // healthy: nothing is judged before all that was there at first is known.
  std::set<Seen> awaited;
  if (!run.subjects.empty()) {
    awaited = kinds_for(run.subjects);
    follow.emplace(client, run.name_space, awaited);
  }
  const auto take_news = [&] {
    using What = Follow::News::What;
    for (const Follow::News& news : follow->next(steady_clock::now() + k_look, stop)) {
      take(gate, news, run.name_space, console);
      if (news.what == What::listed || news.what == What::forbidden) awaited.erase(news.kind);
    }
  };
  while (!awaited.empty()) take_news();
  Gate::Step step;
  while (true) {
    step = gate.look(steady_clock::now());
    for (const std::string& line : step.lines) console.line("health gate: " + line);
    if (step.phase == Gate::Phase::passed || step.phase == Gate::Phase::failed) break;
    if (step.phase == Gate::Phase::probing) prober.ask_when_due(gate, console, stop);
    if (!follow) {
      if (!support::sleep_for(k_look, stop)) throw support::Cancelled();
      continue;
    }
    take_news();
  }
  follow.reset();
  Verdict verdict{
      .passed = step.phase == Gate::Phase::passed, .failure = step.failure, .notes = gate.notes()};
  if (step.failure) verdict.log = last_log_lines(client, run.name_space, *step.failure, stop);
  for (const std::string& note : verdict.notes) console.warning(note);
  return verdict;
}

}  // namespace berth::environments::workloads
