#include "executor/environments/workloads/record.hpp"

#include "executor/environments/workloads/comparison.hpp"

#include <algorithm>
#include <charconv>

namespace berth::environments::workloads {
namespace {

/// Deployments have a number of their own for it, StatefulSets a word.
std::int64_t revision_number(const Workload& one) {
  std::int64_t number = 0;
  if (one.id.kind == Kind::deployment) {
    const char* const last = one.revision.data() + one.revision.size();
    std::from_chars(one.revision.data(), last, number);
  }
  return number == 0 ? one.generation : number;
}

environments::Workload make(const Workload& one, const std::string& name_space,
                            environments::Change change) {
  environments::Workload record{.kind = std::string(name_of(one.id.kind)),
                                .name_space = name_space,
                                .name = one.id.name,
                                .change = change,
                                .manifest = one.manifest};
  for (const Image& image : one.images) {
    record.containers.push_back(
        {.container = image.container, .image = image.image, .digest = image.digest});
  }
  // Never to be applied again: a Job is an act, and what an owner makes is the owner's.
  if (one.id.kind == Kind::job || one.owned) record.manifest.clear();
  return record;
}

}  // namespace

std::vector<environments::Workload> to_record(const Snapshot* before, const Snapshot& after) {
  std::vector<environments::Workload> records;
  const std::vector<Difference> differences =
      before != nullptr ? diff(*before, after) : std::vector<Difference>{};
  const auto difference_of = [&](const Id& id) {
    return std::find_if(differences.begin(), differences.end(),
                        [&](const Difference& one) { return one.id == id; });
  };
  for (const Workload& one : after.workloads) {
    const auto difference = difference_of(one.id);
    auto change = environments::Change::unchanged;
    if (difference != differences.end()) {
      change = difference->what == Difference::What::created ? environments::Change::created
                                                             : environments::Change::updated;
    }
    environments::Workload record = make(one, after.name_space, change);
    const Workload* old = before != nullptr ? before->find(one.id) : nullptr;
    record.revision_before = old != nullptr ? revision_number(*old) : 0;
    record.revision_after = revision_number(one);
    records.push_back(std::move(record));
  }
  for (const Difference& one : differences) {
    if (one.what != Difference::What::removed) continue;
    const Workload* old = before->find(one.id);
    records.push_back(make(*old, after.name_space, environments::Change::removed));
    records.back().revision_before = revision_number(*old);
    records.back().manifest.clear();  // the record before this one has it
  }
  return records;
}

Snapshot state_after(const environments::Deployment& deployment) {
  Snapshot state{.server = deployment.cluster, .name_space = deployment.name_space};
  for (const environments::Workload& record : deployment.workloads) {
    const std::optional<Kind> kind = kind_of(record.kind);
    // A record of a later version may know kinds that this one does not.
    if (!kind || record.change == environments::Change::removed) continue;
    Workload one{.id = {*kind, record.name},
                 .generation = record.revision_after,
                 .revision = std::to_string(record.revision_after),
                 .manifest = record.manifest,
                 .owned = record.manifest.empty() && *kind != Kind::job};
    for (const environments::ContainerImage& image : record.containers) {
      one.images.push_back(
          {.container = image.container, .image = image.image, .digest = image.digest});
    }
    state.workloads.push_back(std::move(one));
  }
  std::sort(state.workloads.begin(), state.workloads.end(),
            [](const Workload& a, const Workload& b) { return a.id < b.id; });
  return state;
}

bool changed_anything(const environments::Deployment& deployment) {
  return std::any_of(deployment.workloads.begin(), deployment.workloads.end(),
                     [](const auto& one) { return one.change != environments::Change::unchanged; });
}

}  // namespace berth::environments::workloads
