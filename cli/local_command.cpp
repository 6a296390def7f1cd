#include "cli/local_command.hpp"

#include "cli/local/address.hpp"
#include "cli/local/job_payload.hpp"
#include "cli/local/local_settings.hpp"
#include "cli/local/pipeline_run.hpp"
#include "cli/local/server/artifact_endpoint.hpp"
#include "cli/local/server/git_endpoint.hpp"
#include "cli/local/stop_signals.hpp"
#include "cli/register.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <unistd.h>

namespace berth::cli {
namespace {

using support::OperatorError;

constexpr std::size_t k_max_file = std::size_t{4} << 20;
constexpr const char* k_probe_path = "/berth-local-answers";

core::Variable parse_variable(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    throw OperatorError(fmt::format("not KEY=VALUE: \"{}\"", text));
  }
  return {.key = text.substr(0, equals), .value = text.substr(equals + 1)};
}

local::RunFacts gather_facts(const LocalOptions& options) {
  local::RunFacts facts;
  facts.checkout = local::read_checkout(std::filesystem::current_path(), options.ref);
  facts.project_id = local::project_number(facts.checkout.root);
  facts.created_at = local::iso_now();
  facts.config_path = options.file;
  facts.ref_protected = options.ref_protected;
  if (!options.variables_file.empty()) {
    facts.project_variables = local::parse_variables_file(
        support::read_file(options.variables_file, k_max_file), options.variables_file.string(),
        options.variables_file.parent_path());
  }
  for (const std::string& text : options.variables)
    facts.pipeline_variables.push_back(parse_variable(text));
  return facts;
}

local::pipeline::Pipeline load_pipeline(const LocalOptions& options, const local::RunFacts& facts) {
  const auto path = std::filesystem::path(options.file).is_absolute()
                        ? std::filesystem::path(options.file)
                        : facts.checkout.root / options.file;
  const local::GitCheckout& checkout = facts.checkout;
  local::pipeline::Context context{
      .predefined = local::pipeline_predefined(facts),
      .project = local::visible(facts.project_variables, facts.ref_protected, ""),
      .pipeline = facts.pipeline_variables,
      .ref = checkout.ref,
      .tag = checkout.is_tag,
      .ref_protected = facts.ref_protected,
      .source = "push",
      .project_path = checkout.project_path,
      .list_files = [&checkout] { return local::list_files(checkout); },
      .read_file =
          [&checkout](const std::string& name) { return local::read_file(checkout, name); },
      .blob_id_of = [&checkout](const std::string& name) { return local::blob_id(checkout, name); },
  };
  return local::pipeline::load({.file = options.file, .text = support::read_file(path, k_max_file)},
                               context);
}

void list_jobs(const local::pipeline::Pipeline& pipeline) {
  for (const std::string& stage : pipeline.stages) {
    fmt::print("{}\n", stage);
    for (const local::pipeline::Job& job : pipeline.jobs) {
      if (job.stage != stage) continue;
      std::string notes;
      if (job.when != local::pipeline::When::on_success) {
        notes += fmt::format("  when: {}", local::pipeline::to_string(job.when));
      }
      if (job.allow_failure) notes += "  may fail";
      if (job.needs && !job.needs->empty()) {
        notes += "  needs:";
        for (const local::pipeline::Need& need : *job.needs) notes += " " + need.job;
      }
      fmt::print("  {}{}\n", job.name, notes);
    }
  }
}

settings::Settings load_settings(const LocalOptions& options) {
  return settings::load(options.settings.empty() ? std::nullopt : std::optional(options.settings));
}

/// The settings the four programs get: the user's, with images of this machine
/// preferred where they do not say.
std::filesystem::path write_settings(const LocalOptions& options,
                                     const local::Workspace& workspace) {
  std::filesystem::path source = options.settings;
  if (const char* variable = std::getenv("BERTH_SETTINGS"); source.empty() && variable != nullptr)
    source = variable;
  if (source.empty() && std::filesystem::exists("/etc/berth/berth.yaml"))
    source = "/etc/berth/berth.yaml";
  const std::string text = source.empty() ? std::string{} : support::read_file(source, k_max_file);
  const std::string name = source.empty() ? "berth.yaml" : source.string();
  auto path = workspace.run() / "berth.yaml";
  support::write_file_atomically(path, local::with_default_pull_policy(text, name));
  return path;
}

local::runner::RunnerConfig runner_config(const LocalOptions& options,
                                          const local::Workspace& workspace) {
  const auto programs =
      std::filesystem::absolute(options.programs.empty() ? find_programs() : options.programs);
  const std::vector<std::string> arguments{"--settings",
                                           write_settings(options, workspace).string()};
  local::runner::RunnerConfig config;
  config.builds_dir = "/builds";
  config.cache_dir = "/cache";
  config.custom_build_dir = true;
  config.temp_root = workspace.tmp();
  config.custom.graceful_kill_timeout = std::chrono::seconds{120};
  for (const auto& [command, name] : {std::pair{&config.custom.config, "berth-config"},
                                      {&config.custom.prepare, "berth-prepare"},
                                      {&config.custom.run, "berth-run"},
                                      {&config.custom.cleanup, "berth-cleanup"}}) {
    command->program = (programs / name).string();
    command->arguments = arguments;
    if (::access(command->program.c_str(), X_OK) != 0) {
      throw OperatorError(
          fmt::format("a program of the driver is missing: \"{}\"", command->program),
          "name the directory of the four programs with --programs");
    }
  }
  for (char** entry = environ; *entry != nullptr; ++entry)
    config.process_environment.emplace_back(*entry);
  return config;
}

/// A job without sources and with the first image of the pipeline.
local::runner::Payload probe_payload(const local::RunFacts& facts,
                                     const local::pipeline::Pipeline& pipeline) {
  local::JobRun run{.id = facts.pipeline_id * 1000, .token = support::random_hex(12)};
  local::pipeline::Job job;
  job.name = "address";
  job.stage = "berth";
  job.predefined = {{.key = "CI_JOB_NAME", .value = job.name, .is_public = true},
                    {.key = "CI_JOB_STAGE", .value = job.stage, .is_public = true}};
  job.image = pipeline.jobs.front().image;
  job.variables = pipeline.jobs.front().variables;
  job.variables.push_back({.key = "GIT_STRATEGY", .value = "none", .is_public = true});
  return local::make_payload(job, facts, run);
}

std::string choose_address(const LocalOptions& options, const local::runner::RunnerConfig& config,
                           const local::RunFacts& facts, const local::pipeline::Pipeline& pipeline,
                           const local::Workspace& workspace, std::uint16_t port,
                           local::Terminal& terminal, local::runner::Control& control) {
  if (!options.address.empty()) return options.address;
  const std::vector<std::string> candidates = local::host_addresses();
  if (candidates.empty()) {
    throw OperatorError("this machine has no address that a container could reach",
                        "name one with --address");
  }
  // The name of the server is part of the kept volumes' names: another address
  // would be another cache.
  const auto known = std::ranges::find(candidates, workspace.address());
  const std::string found = local::find_address(
      {.config = config,
       .payload = probe_payload(facts, pipeline),
       .candidates = candidates,
       .known = known == candidates.end() ? std::string() : *known,
       .port = port,
       .path = k_probe_path,
       .control = control},
      [&terminal](std::string_view why) { terminal.print(fmt::format("berth: {}\n", why)); });
  if (!found.empty()) workspace.remember_address(found);
  if (!found.empty() || control.cancel_requested())
    return found.empty() ? candidates.front() : found;
  terminal.print(
      fmt::format("berth: going on with {}; --address names another\n", candidates.front()));
  return candidates.front();
}

int exit_code(local::Status status, bool canceled) {
  if (canceled) return 130;
  return status == local::Status::success || status == local::Status::skipped ? 0 : 1;
}

}  // namespace

int run_local(const LocalOptions& options) {
  local::RunFacts facts = gather_facts(options);
  facts.server_url = "http://localhost";
  if (options.list) {
    list_jobs(load_pipeline(options, facts));
    return 0;
  }
  // Before any thread is made: all must leave signals to this one.
  std::mutex mutex;
  local::PipelineRun* active = nullptr;
  local::runner::Control beginning;
  std::atomic<int> signals = 0;
  local::Terminal terminal = local::Terminal::of_stdout();
  const local::StopSignals stop([&](int count) {
    signals = count;
    terminal.print(count == 1 ? "\nberth: canceling; after_script still runs. Again to abort.\n"
                              : "\nberth: aborting; only cleanup runs.\n");
    const std::lock_guard lock(mutex);
    if (active == nullptr) {
      beginning.abort();
    } else if (count == 1) {
      active->cancel();
    } else {
      active->abort();
    }
  });

  const settings::Settings settings = load_settings(options);
  const local::Workspace workspace(settings.state_dir / "local", facts.project_id);
  facts.pipeline_id = workspace.pipeline_id();
  local::pipeline::Pipeline pipeline = load_pipeline(options, facts);
  for (const std::string& warning : pipeline.warnings) terminal.print("berth: " + warning + "\n");
  terminal.print(fmt::format("Pipeline {}: {} at {}\n", facts.pipeline_id, facts.checkout.ref,
                             facts.checkout.sha.substr(0, 8)));
  if (facts.checkout.dirty) {
    terminal.print(fmt::format("berth: uncommitted changes are left out: jobs get {}\n",
                               facts.checkout.sha.substr(0, 8)));
  }
  local::runner::RunnerConfig config = runner_config(options, workspace);

  local::server::ArtifactStore store(workspace.artifacts());
  const local::server::GitRepository repository{
      .url_path = "/" + facts.checkout.project_path + ".git", .git_dir = facts.checkout.git_dir};
  const local::server::HttpServer server(
      [&](const local::server::Request& request, local::server::Exchange& exchange) {
        if (local::server::serve_artifacts(store, request, exchange)) return;
        if (local::server::serve_git(repository, store, request, exchange)) return;
        exchange.reply(404, {{"Content-Type", "text/plain"}}, "not found\n");
      },
      0);

  const std::string address = choose_address(options, config, facts, pipeline, workspace,
                                             server.port(), terminal, beginning);
  facts.server_url = fmt::format("http://{}:{}", local::url_host(address), server.port());
  config.url = facts.server_url;
  pipeline = load_pipeline(options, facts);  // rules may look at the address

  local::RunOptions run_options{.parallel = options.parallel,
                                .keep = options.keep,
                                .output_limit = options.output_limit * 1024};
  run_options.schedule.only.insert(options.jobs.begin(), options.jobs.end());
  run_options.schedule.play_manual = options.manual;
  run_options.logs =
      options.logs.empty() ? workspace.logs() : std::filesystem::absolute(options.logs);
  std::filesystem::create_directories(run_options.logs);
  local::PipelineRun run(pipeline, facts, config, workspace, store, terminal, run_options);
  {
    const std::lock_guard lock(mutex);
    active = &run;
    if (signals > 0) run.cancel();
  }
  run.run();
  {
    const std::lock_guard lock(mutex);
    active = nullptr;
  }

  const local::Status status = run.status();
  const auto reports = run.reports();
  terminal.print("\n" + local::table(reports, terminal.colours()));
  terminal.print(fmt::format("\nPipeline {}: {}. Logs: {}\n", facts.pipeline_id,
                             status == local::Status::manual
                                 ? "blocked by a manual job (--manual runs it)"
                                 : local::to_string(status),
                             run_options.logs.string()));
  if (!options.report.empty()) {
    support::write_file_atomically(options.report, local::report_json(status, reports), 0644);
  }
  return exit_code(status, signals > 0);
}

}  // namespace berth::cli
