#include "executor/environments/workloads/promotion.hpp"

#include "executor/environments/workloads/json_reading.hpp"
#include "executor/environments/workloads/observe.hpp"
#include "executor/environments/workloads/read_workload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;

/// The patch that gives the workload's containers their images; a container that moved
/// meanwhile fails the whole patch.
json image_patch(const json& manifest, Kind kind, const std::vector<const ImageStep*>& steps) {
  json patch = json::array();
  const std::string front =
      kind == Kind::cron_job ? "/spec/jobTemplate/spec/template/spec/" : "/spec/template/spec/";
  const json& pod = member(pod_template(kind, manifest), "spec");
  for (const char* list : {"containers", "initContainers"}) {
    std::size_t index = 0;
    for (const json& container : items(pod, list)) {
      const std::string path = fmt::format("{}{}/{}", front, list, index++);
      for (const ImageStep* step : steps) {
        if (word(container, "name") != step->container) continue;
        patch.push_back({{"op", "test"}, {"path", path + "/name"}, {"value", step->container}});
        patch.push_back({{"op", "replace"}, {"path", path + "/image"}, {"value", step->to}});
      }
    }
  }
  return patch;
}

}  // namespace

std::string PromotionOutcome::cause() const {
  if (!verdict.passed) return verdict.cause();
  return unlike.empty() ? std::string() : unlike.front();
}

PromotionOutcome promote(kubernetes::Client& client, const Snapshot& source,
                         const std::string& name_space, const GateRun& gate,
                         support::Console& console, std::stop_token stop) {
  PromotionOutcome outcome;
  outcome.before = observe(client, name_space, stop);
  outcome.plan = plan_promotion(source, outcome.before);
  if (!outcome.plan.unproved.empty()) {
    throw support::JobError("promotion: " + outcome.plan.unproved.front(),
                            "deploy to the source once more, with a credential that may list pods");
  }
  if (outcome.plan.wanted.empty()) {
    throw support::JobError(
        fmt::format("promotion: nothing in namespace '{}' has the name of what was deployed to the "
                    "source",
                    name_space),
        "a promotion sets images of workloads that are there: deploy once first");
  }
  for (const std::string& words : outcome.plan.left) console.line("promotion: " + words);
  std::map<Id, std::vector<const ImageStep*>> by_workload;
  for (const ImageStep& step : outcome.plan.steps) by_workload[step.id].push_back(&step);
  GateRun run = gate;
  run.name_space = name_space;
  run.subjects.clear();
  for (const auto& [id, steps] : by_workload) {
    const Workload& before = *outcome.before.find(id);
    for (const ImageStep* step : steps) {
      console.line(fmt::format("promotion: {}, container '{}': {} -> {}", id.text(),
                               step->container, step->from, step->to));
    }
    client.patch(resource_of(id.kind), name_space, id.name,
                 image_patch(json::parse(before.manifest, nullptr, false), id.kind, steps),
                 {.type = kubernetes::PatchType::json, .field_manager = k_field_manager}, stop);
    run.subjects.push_back({.id = id, .uid = before.uid, .revision_before = before.revision});
  }
  outcome.verdict = run_gate(client, run, console, stop);
  outcome.after = observe(client, name_space, stop);
  outcome.unlike = unlike(outcome.plan, outcome.after);
  return outcome;
}

}  // namespace berth::environments::workloads
