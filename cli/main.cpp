#include "cli/cred_command.hpp"
#include "cli/cred_lint.hpp"
#include "cli/doctor_command.hpp"
#include "cli/env/options.hpp"
#include "cli/gc_command.hpp"
#include "cli/local_command.hpp"
#include "cli/register.hpp"
#include "executor/support/core_dump.hpp"
#include "executor/support/error.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace {

void add_register(CLI::App& app, berth::cli::RegisterOptions& options) {
  app.add_option("--url", options.url, "Address of the GitLab server")->capture_default_str();
  app.add_option("--name", options.name, "Name of the runner")->capture_default_str();
  app.add_option("--settings", options.settings, "berth.yaml for the four programs");
  app.add_option("--programs", options.programs, "Directory of the four programs (default: found)");
  app.add_option("--concurrent", options.concurrent, "Jobs at once, over all runners")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
}

void add_local(CLI::App& app, berth::cli::LocalOptions& options) {
  app.add_option("jobs", options.jobs, "Jobs to run (default: the whole pipeline)");
  app.add_flag("--list", options.list, "Show the pipeline's jobs and leave");
  app.add_option("--file", options.file, "The pipeline")->capture_default_str();
  app.add_option("--variable", options.variables, "KEY=VALUE, as of a manual run; repeatable")
      ->allow_extra_args(false);
  app.add_option("--variables-file", options.variables_file,
                 "Project variables with their marks (YAML or JSON)");
  app.add_option("--settings", options.settings, "berth.yaml for the four programs");
  app.add_option("--programs", options.programs, "Directory of the four programs (default: found)");
  app.add_option("--address", options.address,
                 "This machine's address as containers reach it (default: tried out)");
  app.add_flag("--manual", options.manual, "Run manual jobs too");
  app.add_flag("--keep", options.keep, "Leave the containers of each job for a look");
  app.add_option("--jobs", options.parallel, "Jobs at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_option("--report", options.report, "Write the outcome there, as JSON");
  app.add_option("--logs", options.logs,
                 "Directory for the jobs' logs (default: in Berth's state folder)");
  app.add_option("--output-limit", options.output_limit,
                 "KiB a job's log may have, as output_limit of a runner (0: all of it)")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{0}, berth::cli::k_max_output_limit));
  app.add_option("--ref", options.ref, "Branch or tag to run as (default: what is checked out)");
  app.add_flag("!--unprotected", options.ref_protected, "Treat the ref as not protected");
}

void add_gc(CLI::App& app, berth::cli::GcOptions& options) {
  app.add_option("--settings", options.settings, "berth.yaml (default: that of the four programs)");
  app.add_flag("--dry-run", options.dry_run, "Show what would be removed, and remove nothing");
  app.add_option("--volumes-older-than", options.volumes_older_than,
                 "Docker: remove checkouts and caches too that no job has used for so long (30d)");
  app.add_option("--namespace", options.namespaces,
                 "Kubernetes: a namespace to look in beside that of the settings; repeatable")
      ->allow_extra_args(false);
}

void add_doctor(CLI::App& app, berth::cli::DoctorOptions& options) {
  app.add_option("--settings", options.settings, "berth.yaml (default: that of the four programs)");
  app.add_flag("--json", options.json, "Tell what was found as JSON");
  app.add_flag("--no-probe", options.no_probe, "Start no container or pod");
  app.add_option("--host", options.hosts,
                 "A name that jobs must be able to resolve (your GitLab, a registry); repeatable")
      ->allow_extra_args(false);
  app.add_option("--runner-version", options.runner_version,
                 "GitLab Runner's, for the helper image where the settings name none");
  app.add_option("--start-limit", options.start_limit, "Seconds that the probe may take to start")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
}

/// The verbs of `berth cred`, each with its options.
struct CredCommand {
  explicit CredCommand(CLI::App& app)
      : command(app.add_subcommand("cred", "Look at credentials; never prints what is secret")),
        inspect(command->add_subcommand(
            "inspect", "Say what a value is and what is wrong with it (0 good, 1 bad, 3 none)")),
        encode(command->add_subcommand("encode", "Print a file as a CI variable should hold it")),
        lint(command->add_subcommand(
            "lint", "Look where a pipeline's scripts may break or show credentials (1: it does)")),
        expiry(command->add_subcommand("expiry", "Say until when files are good (1: one is not)")) {
    command->require_subcommand(1);
    inspect->add_option("file", inspection.file, "A file, or - for standard input")
        ->capture_default_str();
    inspect->add_option("--variable", inspection.variable, "A variable of the environment instead");
    inspect->add_flag("--json", inspection.json, "Tell it as JSON");
    encode->add_option("file", encoding.file, "A file, or - for standard input")
        ->capture_default_str();
    lint->add_option("file", pipeline.file, "The pipeline")->capture_default_str();
    lint->add_flag("--json", pipeline.json, "Tell it as JSON");
    expiry->add_option("files", end.files, "Files, or - for standard input")->required();
    expiry->add_option("--days", end.days, "How soon is too soon")
        ->capture_default_str()
        ->check(CLI::Range(0, 3650));
    expiry->add_flag("--json", end.json, "Tell it as JSON");
  }

  int run() const {
    if (inspect->parsed()) return berth::cli::run_cred_inspect(inspection);
    if (encode->parsed()) return berth::cli::run_cred_encode(encoding);
    if (lint->parsed()) return berth::cli::run_cred_lint(pipeline);
    return berth::cli::run_cred_expiry(end);
  }

  CLI::App* command;
  CLI::App* inspect;
  CLI::App* encode;
  CLI::App* lint;
  CLI::App* expiry;
  berth::cli::CredInspectOptions inspection{};
  berth::cli::CredEncodeOptions encoding{};
  berth::cli::CredLintOptions pipeline{};
  berth::cli::CredExpiryOptions end{};
};

}  // namespace

int main(int argc, char** argv) {
  berth::support::forbid_core_dumps();
  CLI::App app("Berth: GitLab jobs in containers", "berth");
  app.require_subcommand(1);
  app.set_version_flag("--version", BERTH_VERSION);
  berth::cli::RegisterOptions registration;
  berth::cli::LocalOptions local;
  berth::cli::GcOptions garbage;
  berth::cli::DoctorOptions doctor;
  CLI::App* register_command =
      app.add_subcommand("register", "Print what registers a runner with these programs");
  CLI::App* local_command = app.add_subcommand("local", "Run a pipeline on this machine");
  CLI::App* gc_command =
      app.add_subcommand("gc", "Remove what jobs left behind whose driver is gone");
  add_gc(*gc_command, garbage);
  CLI::App* doctor_command =
      app.add_subcommand("doctor", "Look whether jobs could run, and say what is in the way");
  add_doctor(*doctor_command, doctor);
  add_register(*register_command, registration);
  add_local(*local_command, local);
  CredCommand cred(app);
  berth::cli::EnvCommand env(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    if (register_command->parsed()) return berth::cli::run_register(registration);
    if (cred.command->parsed()) return cred.run();
    if (env.parsed()) return env.run();
    if (doctor_command->parsed()) return berth::cli::run_doctor(doctor);
    if (gc_command->parsed()) return berth::cli::run_gc(garbage);
    return berth::cli::run_local(local);
  } catch (const berth::support::Error& error) {
    fmt::print(stderr, "berth: {}\n", error.what());
    if (!error.hint().empty()) fmt::print(stderr, "  {}\n", error.hint());
  } catch (const std::exception& error) {
    fmt::print(stderr, "berth: {}\n", error.what());
  }
  return 2;
}
