#include "cli/env/options.hpp"

#include "cli/env/common_options.hpp"

#include <CLI/CLI.hpp>

namespace berth::cli {
namespace {

CLI::App* verb(CLI::App& parent, const char* name, const char* text, EnvOptions& options,
               bool of_one = true) {
  CLI::App* const command = parent.add_subcommand(name, text);
  add_common_options(*command, options, of_one);
  return command;
}

}  // namespace

EnvCommand::EnvCommand(CLI::App& app)
    : m_command(app.add_subcommand("env", "Deploy environments: what runs, who may, what was")),
      m_workloads(*m_command) {
  m_command->require_subcommand(1);
  m_list =
      verb(*m_command, "list", "All environments, and whether they are open", m_listing, false);
  m_show =
      verb(*m_command, "show", "One environment: what runs there, locks, approvals", m_showing);
  m_history = verb(*m_command, "history", "Its deployments, newest first", m_past);
  m_history->add_option("--limit", m_past.limit, "How many (0: all that are kept)")
      ->capture_default_str();
  m_lock = verb(*m_command, "lock",
                "Let nobody deploy there: no project's job, or with --project none of that one's",
                m_locking);
  m_lock->add_option("--reason", m_locking.reason, "Why; jobs that are refused say it")->required();
  m_lock->add_option("--for", m_locking.duration, "For how long (2h; default: until unlock)");
  m_unlock = verb(*m_command, "unlock", "Take that lock away", m_unlocking);
  m_approve = verb(*m_command, "approve", "Agree that a pipeline deploys there", m_approving);
  m_approve->get_option("--project")->required()->description("Its path: group/project");
  m_approve->add_option("--pipeline", m_approving.pipeline, "The pipeline's id")
      ->required()
      ->check(CLI::PositiveNumber);
  m_approve->add_option("--comment", m_approving.comment, "Kept with the approval");
  m_approve->add_option("--user", m_approving.user,
                        "GitLab login whose approval it is (root alone; default: this account)");
}

bool EnvCommand::parsed() const {
  return m_command->parsed();
}

int EnvCommand::run() const {
  if (m_workloads.parsed()) return m_workloads.run();
  if (m_list->parsed()) return run_env_list(m_listing);
  if (m_show->parsed()) return run_env_show(m_showing);
  if (m_history->parsed()) return run_env_history(m_past);
  if (m_lock->parsed()) return run_env_lock(m_locking);
  if (m_unlock->parsed()) return run_env_unlock(m_unlocking);
  return run_env_approve(m_approving);
}

}  // namespace berth::cli
