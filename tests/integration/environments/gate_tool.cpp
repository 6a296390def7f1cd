// What a deployment's driver does with the cluster around a script, one step a call, for
// gate.py: a JSON request on standard input, a JSON answer on standard output, what a job's
// log would have on standard error.
#include "executor/environments/workloads/after_script.hpp"
#include "executor/environments/workloads/observe.hpp"
#include "executor/environments/workloads/promotion.hpp"
#include "executor/environments/workloads/script_output.hpp"
#include "executor/support/files.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <iterator>
#include <unistd.h>

using namespace berth;
using namespace berth::environments::workloads;
using nlohmann::json;

namespace {

std::unique_ptr<kubernetes::Client> client_of(const json& request, support::Console& console) {
  const std::string path = request.at("kubeconfig");
  const KubeconfigText text{.from = KubeconfigText::From::operator_,
                            .where = path,
                            .text = support::Secret(support::read_file(path, 1 << 20))};
  return connect(target_of(text, {}, {}), console);
}

GateOptions options_of(const json& request) {
  GateOptions options;
  const json given = request.value("options", json::object());
  options.timeout = std::chrono::seconds(given.value("timeout", 120));
  options.unschedulable = std::chrono::seconds(given.value("unschedulable", 5));
  options.soak = std::chrono::seconds(given.value("soak", 0));
  return options;
}

json answer_of(const Conclusion& conclusion) {
  json differences = json::array();
  for (const Difference& one : conclusion.differences) differences.push_back(words(one));
  json answer = {{"passed", conclusion.passed},       {"cause", conclusion.cause},
                 {"hint", conclusion.hint},           {"trouble", conclusion.trouble},
                 {"differences", differences},        {"rolled_back", conclusion.rolled_back},
                 {"after", to_json(conclusion.after)}};
  if (conclusion.rollback) answer["unlike"] = conclusion.rollback->unlike;
  return answer;
}

json run(const json& request) {
  support::StreamConsole console(STDERR_FILENO, false);
  const auto client = client_of(request, console);
  const std::string name_space = request.at("namespace");
  const std::string step = request.at("step");
  if (step == "observe") return to_json(observe(*client, name_space, {}));
  if (step == "conclude") {
    AfterScript script{.script_failed = request.value("script_failed", false),
                       .gate = options_of(request),
                       .probe = {.url = request.value("probe", "")},
                       .roll_back = request.value("roll_back", false)};
    if (request.contains("before")) script.before = parse_snapshot(request.at("before"));
    ScriptOutput output;
    output.feed(request.value("output", ""));
    script.immutable_jobs = output.immutable_jobs();
    return answer_of(conclude(*client, name_space, script, console, {}));
  }
  const Snapshot source = parse_snapshot(request.at("source"));
  const GateRun gate{.options = options_of(request)};
  if (step == "rollback") {
    const RollbackOutcome outcome = roll_back(*client, source, gate, console, {});
    return {{"good", outcome.good()}, {"cause", outcome.cause()}, {"left", outcome.plan.left}};
  }
  const PromotionOutcome outcome = promote(*client, source, name_space, gate, console, {});
  return {{"good", outcome.good()}, {"cause", outcome.cause()}, {"unlike", outcome.unlike}};
}

}  // namespace

int main() {
  try {
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    std::cout << run(json::parse(text)).dump() << "\n";
    return 0;
  } catch (const support::Error& error) {
    std::cout << json{{"error", error.what()}, {"hint", error.hint()}}.dump() << "\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "gate_tool: " << error.what() << "\n";
    return 3;
  }
}
