#include "stages/config_stage.hpp"

#include "executor/gitlab/config_output.hpp"
#include "executor/gitlab/job_response.hpp"
#include "executor/settings/settings.hpp"
#include "executor/state/attempt.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "executor/support/version.hpp"

#include <array>
#include <unistd.h>

namespace berth::stages {
namespace {

std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

}  // namespace

core::ExitStatus config_stage(StageContext& context) {
  const settings::Settings settings = settings::load(context.arguments.settings);
  const core::Job job = gitlab::read_job_response(context.environment.job_response_file);
  const core::JobSpec spec = state::make_plan(job, settings.policy, context.environment,
                                              settings.state_dir, support::system_clock());
  if (context.stop.stop_requested()) throw support::Cancelled();
  const gitlab::ConfigOutput output{
      .builds_dir = spec.builds_dir,
      .cache_dir = spec.cache_dir,
      // The runner then gives each slot a directory of its own.
      .builds_dir_is_shared = settings::is_shared(settings, spec.builds_dir),
      .hostname = machine_name(),
      .driver_version = std::string(support::version()),
      .job_env = {}};
  support::write_all(STDOUT_FILENO, gitlab::to_json(output) + "\n", "standard output");
  return {};
}

}  // namespace berth::stages
