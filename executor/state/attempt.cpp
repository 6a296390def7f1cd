#include "executor/state/attempt.hpp"

#include "executor/gitlab/container_environment.hpp"
#include "executor/state/host_id.hpp"
#include "executor/state/plan.hpp"
#include "executor/state/versioned_json.hpp"
#include "executor/support/files.hpp"

#include <sys/utsname.h>

namespace berth::state {

core::Identity new_identity(const gitlab::RunnerEnvironment& environment,
                            const std::filesystem::path& state_dir, const support::Clock& clock) {
  state_file(environment.tmpdir, "plan.json");  // throws where there is no TMPDIR
  utsname machine{};
  ::uname(&machine);
  return {
      .attempt = support::random_hex(6),
      .tmpdir = environment.tmpdir.native(),
      .host = host_id(state_dir, environment.tmpdir),
      .machine = machine.machine,
      .now =
          std::chrono::duration_cast<std::chrono::seconds>(clock.wall().time_since_epoch()).count(),
      .runner_short_token = environment.variable("CI_RUNNER_SHORT_TOKEN"),
      .concurrent_project_id = environment.variable("CI_CONCURRENT_PROJECT_ID"),
      .runner_version = environment.variable("CI_RUNNER_VERSION")};
}

core::JobSpec make_plan(const core::Job& job, const core::Policy& policy,
                        const gitlab::RunnerEnvironment& environment,
                        const std::filesystem::path& state_dir, const support::Clock& clock) {
  core::JobSpec spec = core::plan(job, gitlab::expanded_variables(job, environment), policy,
                                  new_identity(environment, state_dir, clock));
  write_plan(environment.tmpdir, spec);
  return spec;
}

core::JobSpec read_or_make_plan(const core::Job& job, const core::Policy& policy,
                                const gitlab::RunnerEnvironment& environment,
                                const std::filesystem::path& state_dir,
                                const support::Clock& clock) {
  if (std::optional<core::JobSpec> spec = read_plan(environment.tmpdir)) return *spec;
  return make_plan(job, policy, environment, state_dir, clock);
}

}  // namespace berth::state
