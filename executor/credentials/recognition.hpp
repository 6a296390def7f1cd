#pragma once

#include "executor/core/job.hpp"
#include "executor/credentials/credential.hpp"
#include "executor/settings/credentials.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

/// Which of a job's variables are credentials. Pure.
namespace berth::credentials {

/// A name by which credentials usually go: KUBE_CONFIG, GCP_SA_KEY, SSH_PRIVATE_KEY, ...
bool is_known_name(std::string_view name);

struct RecognisedVariable {
  std::string name{};
  /// By its name; otherwise because it is masked or a file.
  bool named = false;
  bool file = false;
  /// As the job's scripts have it.
  support::Secret value{};
  /// Never Verdict::none.
  Finding finding{};
  /// This job may have it handed out (settings::Credentials::scope).
  bool in_scope = true;
  /// The runner has replaced a `$NAME` of it for which there is no variable.
  bool lost_dollar = false;
};

/// Of `job` come what variables are and who the job is; `expanded` has the values that
/// its scripts see. Named ones first, each in GitLab's order. Damaged ones are told of
/// only where the name says that they are meant to be credentials. Variables that
/// GitLab itself makes are left out.
std::vector<RecognisedVariable> recognise_variables(const core::Job& job,
                                                    const core::Variables& expanded,
                                                    const settings::Credentials& settings,
                                                    std::chrono::sys_seconds now);

}  // namespace berth::credentials
