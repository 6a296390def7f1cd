#include "executor/kubernetes/pod/pod_patch.hpp"

#include "executor/kubernetes/pod/strategic_merge.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

json patched(const json& pod_spec, const settings::PodSpecPatch& patch) {
  const json content = json::parse(patch.patch);
  switch (patch.type) {
    case settings::PodSpecPatch::Type::merge: {
      json result = pod_spec;
      result.merge_patch(content);
      return result;
    }
    case settings::PodSpecPatch::Type::json:
      return pod_spec.patch(content);
    case settings::PodSpecPatch::Type::strategic:
      return strategic_merge(pod_spec, content);
  }
  return pod_spec;
}

}  // namespace

void apply_patches(json& pod_spec, const std::vector<settings::PodSpecPatch>& patches) {
  for (std::size_t i = 0; i < patches.size(); ++i) {
    const std::string name =
        patches[i].name.empty() ? fmt::format("number {}", i + 1) : "'" + patches[i].name + "'";
    std::string why;
    try {
      pod_spec = patched(pod_spec, patches[i]);
      continue;
    } catch (const json::exception& error) {
      why = error.what();
    } catch (const support::OperatorError& error) {
      why = error.what();
    }
    throw support::OperatorError(
        fmt::format("kubernetes.pod_spec of berth.yaml: patch {} does not apply: {}", name, why));
  }
}

}  // namespace berth::kubernetes
