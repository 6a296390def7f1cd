#include "executor/core/expand.hpp"
#include "executor/core/image_ref.hpp"
#include "executor/core/plan_parts.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace berth::core {
namespace {

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string join(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

/// The helper's names for architectures (gitlab-runner,
/// helpers/container/helperimage).
std::string helper_architecture(std::string_view machine) {
  if (machine == "aarch64") return "arm64";
  if (machine == "armv6l" || machine == "armv7l") return "arm";
  return machine.empty() || machine == "amd64" ? "x86_64" : std::string(machine);
}

/// "19.4.0" of "19.4.0~pre.12.gabc"; empty where it does not begin so.
std::string release_of(std::string_view version) {
  std::size_t end = 0;
  int dots = 0;
  for (; end < version.size(); ++end) {
    const char c = version[end];
    if (c == '.' && dots < 2) {
      ++dots;
    } else if (c < '0' || c > '9') {
      break;
    }
  }
  const std::string release(version.substr(0, end));
  const bool whole = dots == 2 && release.front() != '.' && release.back() != '.' &&
                     release.find("..") == std::string::npos;
  return whole ? release : std::string();
}

}  // namespace

std::vector<std::string> effective_pull_policies(std::string_view image,
                                                 const std::vector<std::string>& of_job,
                                                 const Policy& policy) {
  const std::vector<std::string>& wanted = of_job.empty() ? policy.pull_policies : of_job;
  const std::vector<std::string>& allowed =
      policy.allowed_pull_policies.empty() ? policy.pull_policies : policy.allowed_pull_policies;
  // Kubernetes only: nobody says anything, so the cluster decides.
  if (wanted.empty()) return {};
  std::vector<std::string> effective;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(effective),
               [&](const std::string& one) { return contains(allowed, one); });
  if (!effective.empty()) return effective;
  const std::string words =
      fmt::format("pull_policy [{}] of the {}, allowed_pull_policies [{}]", join(wanted),
                  of_job.empty() ? "settings" : "job", join(allowed));
  if (of_job.empty()) {
    throw support::OperatorError(
        fmt::format("no pull policy is left for image '{}': {}", image, words),
        "make pull_policy and allowed_pull_policies of berth.yaml overlap");
  }
  throw support::JobError(fmt::format("pull policy not allowed: image '{}': {}", image, words),
                          "use an allowed policy, or leave pull_policy out");
}

bool is_allowed(std::string_view image, const std::vector<std::string>& patterns) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return glob_match(pattern, image); });
}

void check_allowed(std::string_view image, const std::vector<std::string>& allowed,
                   const std::vector<std::string>& own, std::string_view option) {
  if (contains(own, image) || is_allowed(image, allowed)) return;
  throw support::JobError(
      fmt::format("image not allowed: '{}': {} has [{}]", image, option, join(allowed)),
      "use an image that matches, or ask the runner's operator");
}

void check_settings_image(std::string_view image, std::string_view option) {
  try {
    parse_image_ref(image);
  } catch (const support::JobError& error) {
    throw support::OperatorError(fmt::format("{}: {}", option, error.what()), error.hint());
  }
}

std::string wanted_user(const Image& image, const Variables& expanded, const Policy& policy) {
  return expand(policy.backend == "kubernetes" ? image.kubernetes_user : image.docker_user,
                expanded);
}

ContainerSpec plan_build(const Job& job, const Variables& expanded, const Policy& policy) {
  const std::string own = expand(policy.image, expanded);
  const Image options = job.image.value_or(Image{});
  ContainerSpec build;
  if (!options.name.empty()) {
    build.image = options.name;
    parse_image_ref(build.image);
    check_allowed(build.image, policy.allowed_images,
                  own.empty() ? std::vector<std::string>{} : std::vector{own}, "allowed_images");
  } else if (!own.empty()) {
    build.image = own;
    check_settings_image(own, policy.backend + ".image of berth.yaml");
  } else {
    throw support::JobError(
        "no image: neither the job nor the runner's settings name one",
        "write `image:` into .gitlab-ci.yml, or " + policy.backend + ".image into berth.yaml");
  }
  build.entrypoint = options.entrypoint;
  build.pull_policies = effective_pull_policies(build.image, options.pull_policy, policy);
  build.user = policy.user.empty() ? wanted_user(options, expanded, policy) : policy.user;
  build.platform = expand(options.docker_platform, expanded);
  build.privileged = policy.privileged && is_allowed(build.image, policy.allowed_privileged_images);
  return build;
}

ContainerSpec plan_helper(const Variables& expanded, const Policy& policy,
                          const Identity& identity) {
  ContainerSpec helper;
  helper.image = expand(policy.helper_image, expanded);
  if (helper.image.empty()) {
    const std::string release = release_of(identity.runner_version);
    helper.image =
        fmt::format("registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:{}-{}",
                    helper_architecture(policy.machine.empty() ? identity.machine : policy.machine),
                    release.empty() ? "latest" : "v" + release);
  }
  check_settings_image(helper.image, policy.backend + ".helper_image of berth.yaml");
  helper.pull_policies = effective_pull_policies(helper.image, {}, policy);
  helper.user = "0:0";
  helper.privileged = policy.privileged;
  return helper;
}

}  // namespace berth::core
