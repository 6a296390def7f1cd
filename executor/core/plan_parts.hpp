#pragma once

#include "executor/core/planner.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The parts of planner.cpp. Not for use outside of this folder.
namespace berth::core {

/// The policies to try, in order: the job's ∩ allowed, or the settings' ∩
/// allowed; empty where the settings (of kubernetes) name none. Throws JobError, or OperatorError
/// where the settings contradict themselves.
std::vector<std::string> effective_pull_policies(std::string_view image,
                                                 const std::vector<std::string>& of_job,
                                                 const Policy& policy);

/// Whether a pattern matches, or there is none.
bool is_allowed(std::string_view image, const std::vector<std::string>& patterns);

/// Throws JobError where `allowed` is not empty, nothing in it matches, and the
/// image is none of the settings' own. `option` is the key that says so.
void check_allowed(std::string_view image, const std::vector<std::string>& allowed,
                   const std::vector<std::string>& own, std::string_view option);

/// As parse_image_ref, but it blames the settings.
void check_settings_image(std::string_view image, std::string_view option);

/// What `image: {docker: {user: ...}}`, or its kubernetes twin, asks for.
std::string wanted_user(const Image& image, const Variables& expanded, const Policy& policy);

ContainerSpec plan_build(const Job& job, const Variables& expanded, const Policy& policy);

ContainerSpec plan_helper(const Variables& expanded, const Policy& policy,
                          const Identity& identity);

/// Fills services, and notes where a name was given up.
void plan_services(JobSpec& spec, const Job& job, const Variables& expanded, const Policy& policy);

/// Fills volumes and binds. Uses spec's names and directories.
void plan_volumes(JobSpec& spec, const Job& job, const Variables& expanded, const Policy& policy,
                  const Identity& identity);

}  // namespace berth::core
