#include "executor/environments/workloads/pod_view.hpp"

#include "executor/environments/workloads/json_reading.hpp"

#include <nlohmann/json.hpp>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;
using Phase = ContainerView::Phase;

ContainerView read_container(const json& status, bool init) {
  ContainerView one{.name = word(status, "name"),
                    .image = word(status, "image"),
                    .init = init,
                    .ready = is_true(status, "ready"),
                    .restarts = static_cast<int>(number(status, "restartCount"))};
  const json& state = member(status, "state");
  const auto take = [&](const char* key, Phase phase) {
    if (!state.is_object() || !state.contains(key)) return;
    const json& part = member(state, key);
    one.phase = phase;
    one.reason = word(part, "reason");
    one.message = word(part, "message");
    one.exit_code = static_cast<int>(number(part, "exitCode"));
  };
  take("waiting", Phase::waiting);
  take("running", Phase::running);
  take("terminated", Phase::terminated);
  const json& last = member(status, "lastState");
  if (last.is_object() && last.contains("terminated")) {
    const json& end = member(last, "terminated");
    one.ended_before = true;
    one.last_reason = word(end, "reason");
    one.last_message = word(end, "message");
    one.last_exit_code = static_cast<int>(number(end, "exitCode"));
  }
  return one;
}

}  // namespace

int PodView::restarts() const {
  int all = 0;
  for (const ContainerView& one : containers) all += one.restarts;
  return all;
}

PodView read_pod(const json& pod) {
  const json& metadata = member(pod, "metadata");
  const json& spec = member(pod, "spec");
  const json& status = member(pod, "status");
  const json& owner = controller(pod);
  PodView view{.name = word(metadata, "name"),
               .uid = word(metadata, "uid"),
               .owner_kind = word(owner, "kind"),
               .owner_uid = word(owner, "uid"),
               .revision_hash = word(member(metadata, "labels"), "controller-revision-hash"),
               .created = seconds(metadata, "creationTimestamp"),
               .phase = word(status, "phase"),
               .reason = word(status, "reason"),
               .message = word(status, "message"),
               .being_deleted = !word(metadata, "deletionTimestamp").empty(),
               .ready = word(condition(pod, "Ready"), "status") == "True"};
  const json& scheduled = condition(pod, "PodScheduled");
  if (word(scheduled, "status") == "False" && word(scheduled, "reason") == "Unschedulable")
    view.unscheduled = word(scheduled, "message");
  for (const json& one : items(status, "initContainerStatuses"))
    view.containers.push_back(read_container(one, true));
  for (const json& one : items(status, "containerStatuses"))
    view.containers.push_back(read_container(one, false));
  for (const char* list : {"initContainers", "containers"}) {
    for (const json& wanted : items(spec, list)) {
      const std::string name = word(wanted, "name");
      view.images[name] = word(wanted, "image");
      for (ContainerView& one : view.containers) {
        if (one.name != name) continue;
        one.image = word(wanted, "image");
        one.has_readiness_probe = wanted.contains("readinessProbe");
      }
    }
  }
  return view;
}

}  // namespace berth::environments::workloads
