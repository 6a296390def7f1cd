#pragma once

#include "executor/core/job.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/kubernetes/pod/pod.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What containers are started with. Whoever may read pods reads it too, so
/// nothing that is made of a masked value stands there, although the variable
/// itself may be public (URL: https://x:$TOKEN@host).
namespace berth::kubernetes {

struct NameValue {
  std::string name{};
  std::string value{};
  bool operator==(const NameValue&) const = default;
};

struct ContainerEnvironment {
  std::vector<NameValue> plain{};
  /// Own variables of a service that are made of values that are not public: they
  /// go through the job's Secret.
  std::vector<NameValue> secret{};
  /// Keys that were left out.
  std::vector<std::string> withheld{};
};

/// Of the build container: the stages' scripts have every variable anyway.
ContainerEnvironment build_environment(const PodInputs& inputs);

/// Of service `index`.
ContainerEnvironment service_environment(const PodInputs& inputs, std::size_t index);

/// The key of a masked variable whose value stands in the text; "" for none.
std::string revealed(std::string_view text, const core::Variables& variables);

/// Kubernetes replaces $(NAME) in values, commands and arguments, and takes `$$`
/// for `$`: what it is to leave alone.
std::string escaped(std::string_view text);

/// Expands what an operator wrote for the pod itself. Throws JobError where a
/// masked value would stand in it; `where` is the setting's key.
std::string expanded_setting(std::string_view text, const core::Variables& variables,
                             std::string_view where);

}  // namespace berth::kubernetes
