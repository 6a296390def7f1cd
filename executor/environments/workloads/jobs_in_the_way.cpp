#include "executor/environments/workloads/jobs_in_the_way.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::environments::workloads {

namespace {

/// "registry:5000/app" of "registry:5000/app:v1@sha256:…".
std::string repository(const std::string& image) {
  std::string name = image.substr(0, image.find('@'));
  const std::size_t colon = name.rfind(':');
  if (colon != std::string::npos && name.find('/', colon) == std::string::npos) name.erase(colon);
  return name;
}

}  // namespace

Failure immutable_job_failure(const std::string& job, const Snapshot& after) {
  const Id id{Kind::job, job};
  const Workload* there = after.find(id);
  std::string with;
  if (there != nullptr && !there->images.empty())
    with = fmt::format(" with image '{}'", there->images.front().image);
  return {.trouble = Trouble::immutable_job,
          .workload = id,
          .text = fmt::format("{} was not run again: it has {}{}, and a Job's pods cannot be "
                              "changed: the apply of its new version was refused",
                              id.text(), there != nullptr && there->finished ? "finished" : "begun",
                              with),
          .hint = fmt::format("`kubectl delete job {} --ignore-not-found` before it is applied, or "
                              "give it a name of its own for each release",
                              job)};
}

std::vector<std::string> stale_jobs(const std::vector<Difference>& differences,
                                    const Snapshot& after) {
  std::vector<std::string> notes;
  for (const Workload& job : after.workloads) {
    const bool touched = std::any_of(differences.begin(), differences.end(),
                                     [&](const Difference& one) { return one.id == job.id; });
    if (job.id.kind != Kind::job || !job.finished || job.owned || touched) continue;
    for (const Difference& one : differences) {
      const auto newer = [&](const Image& deployed) {
        return std::any_of(job.images.begin(), job.images.end(), [&](const Image& image) {
          return image.image != deployed.image &&
                 repository(image.image) == repository(deployed.image);
        });
      };
      const auto found = std::find_if(one.after.begin(), one.after.end(), newer);
      if (found == one.after.end()) continue;
      notes.push_back(fmt::format(
          "{} stands finished with image '{}', while {} runs '{}': a finished Job is immutable, "
          "so applying its new version has no effect; delete it first if it should run again",
          job.id.text(), job.images.front().image, one.id.text(), found->image));
      break;
    }
  }
  return notes;
}

}  // namespace berth::environments::workloads
