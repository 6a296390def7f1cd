#include "executor/environments/workloads/promotion.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::environments::workloads {
namespace {

const Image* find(const std::vector<Image>& images, const std::string& container) {
  const auto found = std::find_if(images.begin(), images.end(),
                                  [&](const Image& one) { return one.container == container; });
  return found == images.end() ? nullptr : &*found;
}

}  // namespace

PromotionPlan plan_promotion(const Snapshot& source, const Snapshot& target) {
  PromotionPlan plan;
  for (const Workload& one : source.workloads) {
    if (one.id.kind == Kind::job || one.owned) continue;
    const Workload* there = target.find(one.id);
    if (there == nullptr) {
      plan.left.push_back(one.id.text() + " is not in the target");
      continue;
    }
    for (const Image& image : one.images) {
      const Image* now = find(there->images, image.container);
      if (now == nullptr) {
        plan.left.push_back(
            fmt::format("{} has no container '{}' in the target", one.id.text(), image.container));
        continue;
      }
      if (image.digest.empty() && one.id.kind != Kind::cron_job)
        plan.unproved.push_back(fmt::format("{}: nobody saw which digest '{}' had in the source",
                                            one.id.text(), image.image));
      ImageStep step{.id = one.id,
                     .container = image.container,
                     .from = now->image,
                     .to = image.image,
                     .digest = image.digest};
      if (now->image != image.image) plan.steps.push_back(step);
      plan.wanted.push_back(std::move(step));
    }
  }
  return plan;
}

std::vector<std::string> unlike(const PromotionPlan& plan, const Snapshot& live) {
  std::vector<std::string> wrong;
  for (const ImageStep& step : plan.wanted) {
    const Workload* workload = live.find(step.id);
    const Image* now = workload != nullptr ? find(workload->images, step.container) : nullptr;
    const bool same = now != nullptr && now->image == step.to &&
                      (now->digest == step.digest || step.digest.empty() ||
                       (now->digest.empty() && step.id.kind == Kind::cron_job));
    if (same) continue;
    wrong.push_back(fmt::format(
        "{} runs {} as '{}', and what passed in the source is {}", step.id.text(),
        now != nullptr ? now->text() + (now->digest.empty() ? " (digest unknown)" : "") : "nothing",
        step.container, Image{step.container, step.to, step.digest}.text()));
  }
  return wrong;
}

}  // namespace berth::environments::workloads
