#include "executor/app/deployment_watch.hpp"

#include "executor/app/deployment_kubeconfig.hpp"
#include "executor/app/ledgers.hpp"
#include "executor/app/masked_words.hpp"
#include "executor/environments/workloads/after_script.hpp"
#include "executor/environments/workloads/observe.hpp"
#include "executor/environments/workloads/record.hpp"
#include "executor/environments/workloads/review.hpp"
#include "executor/gitlab/container_environment.hpp"
#include "executor/gitlab/job_response.hpp"
#include "executor/kubernetes/api/server_version.hpp"
#include "executor/state/deployment.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/files.hpp"
#include "executor/support/json.hpp"
#include "executor/support/log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace berth::app {
namespace {

namespace workloads = environments::workloads;
using workloads::KubeconfigText;

workloads::Pins pins_of(const settings::EnvironmentRule& rule) {
  return {.contexts = rule.contexts, .namespaces = rule.namespaces};
}

std::chrono::sys_seconds now() {
  return std::chrono::sys_seconds(std::chrono::seconds(support::unix_seconds()));
}

struct Place {
  std::unique_ptr<kubernetes::Client> client{};
  std::string name_space{};
};

bool is_review(const settings::EnvironmentRule& rule) {
  return !rule.review.name_space.empty();
}

Place place_of(const KubeconfigText& kubeconfig, const settings::EnvironmentRule& rule,
               const environments::Request& request, const core::Job& job,
               support::Console& console) {
  workloads::Target target = workloads::target_of(kubeconfig, job.variables, pins_of(rule));
  Place place{.name_space = is_review(rule)
                                ? workloads::namespace_name(rule.review.name_space, request.slug)
                                : target.name_space};
  place.client = workloads::connect(std::move(target), console);
  return place;
}

/// Throws WrongTarget where the script has used another place than the environment's.
void check_pins(const KubeconfigText& left, const settings::EnvironmentRule& rule,
                const core::Job& job) {
  try {
    workloads::target_of(left, job.variables, pins_of(rule));
  } catch (const workloads::WrongTarget&) {
    throw;
  } catch (const support::Error& error) {
    // Of no use to Berth, and none is made of it.
    support::log(support::LogLevel::info, error.what());
  }
}

MaskedWords words_of(const StageInput& input, const settings::Credentials& settings,
                     const core::Job& job) {
  return {job, gitlab::expanded_variables(job, input.environment), settings};
}

std::optional<workloads::Snapshot> read_before(const StageInput& input) {
  const auto text = state::read_snapshot(input.environment.tmpdir);
  if (!text) return std::nullopt;
  return workloads::parse_snapshot(support::parse_json(*text, "environment-before.json"));
}

/// When the script began, by the cluster's clock.
std::int64_t script_start(const StageInput& input, kubernetes::Client& client) {
  const auto began = state::script_begun_at(input.environment.tmpdir);
  const auto there = kubernetes::server_version(client, input.stop).date;
  if (!began || !there) return 0;
  return *began + (*there - support::unix_seconds());
}

/// What the last good deployment at the same place left.
std::optional<workloads::Snapshot> recorded_at(const StageInput& input,
                                               const settings::Settings& settings,
                                               const environments::Request& request,
                                               const Place& place) {
  const auto history =
      make_ledger(settings, input.console, request.project)->history(request.environment, 0);
  const auto good =
      std::find_if(history.begin(), history.end(), [&](const environments::Deployment& one) {
        return one.result == environments::Result::success &&
               one.action == environments::Action::start && !one.workloads.empty() &&
               one.cluster == place.client->connection().host() &&
               one.name_space == place.name_space;
      });
  if (good == history.end()) return std::nullopt;
  return workloads::state_after(*good);
}

workloads::AfterScript after_script(const settings::EnvironmentRule& rule, bool script_failed) {
  workloads::AfterScript script{
      .script_failed = script_failed,
      .gate_wanted = rule.gate.enabled,
      .probe = {.url = rule.gate.probe},
      .roll_back = rule.on_failure == settings::EnvironmentRule::OnFailure::rollback};
  script.gate.timeout = rule.gate.timeout;
  script.gate.soak = rule.gate.soak;
  return script;
}

void take_over(const workloads::Conclusion& seen, LookedAfter& after) {
  after.conclusion.workloads =
      workloads::to_record(seen.before ? &*seen.before : nullptr, seen.after);
  after.conclusion.cluster = seen.after.server;
  after.conclusion.name_space = seen.after.name_space;
  if (seen.passed) return;
  const bool script_failed = after.conclusion.result == environments::Result::failed;
  after.conclusion.result = environments::Result::failed;
  if (!script_failed || !seen.trouble.empty()) after.conclusion.cause = seen.cause;
  if (seen.rollback) {
    after.conclusion.cause +=
        seen.rolled_back ? "; rolled back" : "; rollback failed: " + seen.rollback->cause();
  }
  after.hint = seen.hint;
}

void make_review(const StageInput& input, const settings::EnvironmentRule& rule,
                 const environments::Request& request, const Place& place) {
  std::vector<workloads::TemplateObject> objects;
  if (!rule.review.manifest.empty()) {
    constexpr std::size_t k_max_template = std::size_t{1} << 20;
    objects =
        workloads::read_template(support::read_file(rule.review.manifest, k_max_template),
                                 rule.review.manifest.native(), request.slug, place.name_space);
  }
  const std::int64_t ttl = rule.review.ttl.count();
  workloads::ensure_namespace(*place.client,
                              {.name = place.name_space,
                               .environment = request.environment,
                               .project = request.project,
                               .expires = ttl > 0 ? support::unix_seconds() + ttl : 0},
                              objects, input.stop);
  input.console.line(fmt::format("review environment '{}' has namespace '{}'", request.environment,
                                 place.name_space));
}

void end_review(const StageInput& input, const environments::Request& request, const Place& place,
                LookedAfter& after) {
  using workloads::NamespaceRemoval;
  after.conclusion.cluster = place.client->connection().host();
  after.conclusion.name_space = place.name_space;
  switch (workloads::remove_namespace(
      *place.client,
      {.name = place.name_space, .environment = request.environment, .project = request.project},
      input.stop)) {
    case NamespaceRemoval::begun:
      input.console.line(fmt::format("review environment '{}': namespace '{}' is being removed",
                                     request.environment, place.name_space));
      break;
    case NamespaceRemoval::absent:
      break;
    case NamespaceRemoval::not_ours:
      input.console.warning(
          fmt::format("namespace '{}' was not made for environment '{}', and is "
                      "left alone",
                      place.name_space, request.environment));
      break;
  }
}

LookedAfter look_at_changes(const StageInput& input, const settings::Settings& settings,
                            const std::string& environment, const core::Job& job,
                            environments::Conclusion conclusion) {
  LookedAfter after{.conclusion = std::move(conclusion)};
  const settings::EnvironmentRule& rule = settings::rule_of(*settings.environments, environment);
  bool had_access = false;
  bool stops = false;
  try {
    const auto request = environments::request_of(job);
    if (!request) return after;
    stops = request->action == environments::Action::stop;
    if (stops && !is_review(rule)) return after;
    const std::optional<workloads::Snapshot> before = read_before(input);
    had_access = before.has_value();
    auto kubeconfig = operators_kubeconfig(rule);
    const bool pinned = !rule.contexts.empty() || !rule.namespaces.empty();
    if (!kubeconfig || pinned) {
      auto left = kubeconfig_left_by_script(input, settings, job);
      if (kubeconfig && left) check_pins(*left, rule, job);
      if (!kubeconfig) kubeconfig = std::move(left);
    }
    if (!kubeconfig) kubeconfig = workloads::kubeconfig_of(job.variables, now());
    if (!kubeconfig && stops) {
      input.console.warning(
          fmt::format("review environment '{}': no kubeconfig is known, so its namespace stays",
                      request->environment));
    }
    if (!kubeconfig) return after;
    // What cannot be removed is not stopped.
    had_access = had_access || stops;
    const Place place = place_of(*kubeconfig, rule, *request, job, input.console);
    if (stops) {
      if (after.conclusion.result == environments::Result::success)
        end_review(input, *request, place, after);
      return after;
    }
    workloads::AfterScript script =
        after_script(rule, after.conclusion.result == environments::Result::failed);
    script.immutable_jobs = state::read_immutable_jobs(input.environment.tmpdir);
    const bool same_place = before && before->server == place.client->connection().host() &&
                            before->name_space == place.name_space;
    if (same_place) {
      script.before = before;
    } else {
      script.changed_since = script_start(input, *place.client);
      script.recorded = recorded_at(input, settings, *request, place);
    }
    // It has answered: from here on what cannot be seen is no success.
    had_access = true;
    const workloads::Conclusion seen =
        workloads::conclude(*place.client, place.name_space, script, input.console, input.stop);
    take_over(seen, after);
  } catch (const workloads::WrongTarget& error) {
    after.conclusion.result = environments::Result::failed;
    after.conclusion.cause = error.what();
    after.hint = error.hint();
  } catch (const support::Error& error) {
    const bool succeeded = after.conclusion.result == environments::Result::success;
    if (had_access && (stops || rule.gate.enabled) && succeeded) {
      // No evidence is no success.
      after.conclusion.result = environments::Result::failed;
      after.conclusion.cause =
          (stops ? "its namespace could not be removed: " : "the health gate could not be kept: ") +
          std::string(error.what());
      after.hint = error.hint();
    } else {
      input.console.warning(std::string("deployment: what it changed cannot be watched: ") +
                            error.what());
    }
  }
  return after;
}

}  // namespace

void look_before(const StageInput& given, const settings::Settings& settings,
                 const settings::EnvironmentRule& rule, const environments::Request& request,
                 const core::Job& job) {
  if (request.action != environments::Action::start) return;
  const MaskedWords words = words_of(given, settings.credentials, job);
  MaskedConsole console(given.console, words);
  const StageInput input{.settings = given.settings,
                         .environment = given.environment,
                         .console = console,
                         .stop = given.stop};
  try {
    auto kubeconfig = operators_kubeconfig(rule);
    if (!kubeconfig) kubeconfig = workloads::kubeconfig_of(job.variables, now());
    if (!kubeconfig) return;  // the script may leave one
    const Place place = place_of(*kubeconfig, rule, request, job, input.console);
    if (is_review(rule)) make_review(input, rule, request, place);
    workloads::Snapshot before = workloads::observe(*place.client, place.name_space, input.stop);
    for (const std::string& one : before.unseen)
      input.console.line("deployment: cannot be watched: " + one);
    workloads::drop_needless_manifests(before);
    state::write_snapshot(
        input.environment.tmpdir,
        workloads::to_json(before).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } catch (const workloads::WrongTarget&) {
    throw;
  } catch (const support::Error& error) {
    if (is_review(rule)) throw;  // nothing could be deployed
    input.console.line(std::string("deployment: what it changes cannot be watched: ") +
                       error.what());
  }
}

LookedAfter look_after(const StageInput& input, const settings::Settings& settings,
                       const std::string& environment, environments::Conclusion conclusion) {
  const core::Job job = gitlab::read_job_response(input.environment.job_response_file);
  const MaskedWords words = words_of(input, settings.credentials, job);
  MaskedConsole console(input.console, words);
  LookedAfter after = look_at_changes({.settings = input.settings,
                                       .environment = input.environment,
                                       .console = console,
                                       .stop = input.stop},
                                      settings, environment, job, std::move(conclusion));
  after.conclusion.cause = words(after.conclusion.cause);
  after.hint = words(after.hint);
  return after;
}

}  // namespace berth::app
