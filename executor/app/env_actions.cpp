#include "executor/app/env_actions.hpp"

#include "executor/app/ledgers.hpp"
#include "executor/core/overdue.hpp"
#include "executor/environments/events.hpp"
#include "executor/environments/heartbeat.hpp"
#include "executor/environments/lock_wait.hpp"
#include "executor/environments/workloads/after_script.hpp"
#include "executor/environments/workloads/observe.hpp"
#include "executor/environments/workloads/promotion.hpp"
#include "executor/environments/workloads/record.hpp"
#include "executor/environments/workloads/review.hpp"
#include "executor/support/clock.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <unistd.h>

namespace berth::app {
namespace {

namespace workloads = environments::workloads;
using environments::Deployment;
using environments::Result;

/// No action of an operator holds an environment for longer.
constexpr std::chrono::hours k_longest{2};
constexpr std::chrono::seconds k_silence{120};
constexpr std::size_t k_max_kubeconfig = std::size_t{1} << 20;

const settings::EnvironmentRule& rule_of(const EnvAction& action) {
  return settings::rule_of(*action.settings.environments, action.environment);
}

workloads::Target operators_target(const settings::EnvironmentRule& rule,
                                   const std::string& name_space) {
  core::Variables variables;
  workloads::Pins pins{.contexts = rule.contexts};
  if (!name_space.empty()) pins.namespaces = {name_space};
  return workloads::target_of(
      {.from = workloads::KubeconfigText::From::operator_,
       .where = rule.kubeconfig.native(),
       .text = support::Secret(support::read_file(rule.kubeconfig, k_max_kubeconfig))},
      variables, pins);
}

/// A client of the environment's cluster: by its rule's kubeconfig, else by this account's.
std::unique_ptr<kubernetes::Client> client_of(const EnvAction& action, const Deployment& record) {
  const settings::EnvironmentRule& rule = rule_of(action);
  workloads::Target target;
  if (!rule.kubeconfig.empty()) {
    target = operators_target(rule, record.name_space);
  } else {
    target.connection = kubernetes::load_connection({});
  }
  if (target.connection.host() != record.cluster) {
    throw support::OperatorError(
        fmt::format("environment '{}' was deployed to the cluster at {}, and {} is for {}",
                    action.environment, record.cluster, target.connection.source,
                    target.connection.host()),
        "name the right one as `kubeconfig` of the environment's rule in berth.yaml");
  }
  return workloads::connect(std::move(target), action.console);
}

const Deployment& find_number(const std::vector<Deployment>& history, std::int64_t number) {
  const auto found = std::find_if(history.begin(), history.end(),
                                  [&](const Deployment& one) { return one.number == number; });
  if (found == history.end())
    throw support::OperatorError(fmt::format("no deployment {} is recorded", number),
                                 "`berth env history` shows those that are");
  return *found;
}

const Deployment& good_or_throw(const Deployment* found, const std::string& environment) {
  if (found != nullptr) return *found;
  throw support::OperatorError(
      fmt::format("environment '{}': no good deployment with its workloads is recorded",
                  environment),
      "workloads are recorded where the job's kubeconfig, or `kubeconfig` of the rule, may list "
      "them");
}

std::vector<Deployment> history_of(const EnvAction& action) {
  return make_ledger(action.settings, action.console, action.project)
      ->history(action.environment, 0);
}

workloads::GateRun gate_of(const settings::EnvironmentRule& rule) {
  workloads::GateRun run{.probe = {.url = rule.gate.probe}};
  run.options.timeout = rule.gate.timeout;
  run.options.soak = rule.gate.soak;
  return run;
}

/// The environment is this command's while it lives.
class Turn {
 public:
  Turn(const EnvAction& action, Deployment deployment)
      : m_action(action),
        m_ledger(make_ledger(action.settings, action.console, action.project)),
        m_events(environments::make_events({.targets = action.settings.environments->events},
                                           action.console, action.stop)),
        m_deployment(std::move(deployment)) {
    m_deployment.id = support::random_hex(8);
    m_deployment.environment = action.environment;
    m_deployment.user = action.user;
    if (const auto manual = m_ledger->lock_state(action.environment).manual) {
      throw support::OperatorError(
          fmt::format("environment '{}' is locked by {} since {}{}", action.environment,
                      manual->user, core::utc_minute(manual->since),
                      manual->reason.empty() ? "" : ": " + manual->reason),
          "`berth env unlock` first");
    }
    const std::int64_t now = support::unix_seconds();
    m_file = heartbeat_file(action.settings, m_deployment.id);
    environments::make_heartbeat(m_file, now);
    m_heartbeat.emplace(m_file, action.stop, environments::heartbeat_interval(k_silence));
    try {
      environments::wait_for_lock(
          {.ledger = *m_ledger,
           .events = *m_events,
           .console = action.console,
           .stop = action.stop},
          rule_of(action).lock,
          {.id = m_deployment.id,
           .user = action.user,
           .who = fmt::format("`berth env {}` of {}", to_string(m_deployment.origin), action.user),
           .host = ledger_host(action.settings),
           .until = now + std::chrono::seconds(k_longest).count(),
           .heartbeat = m_file.native(),
           .silence = k_silence},
          m_deployment);
    } catch (...) {
      environments::end_heartbeat(m_file);
      throw;
    }
  }

  ~Turn() {
    try {
      m_ledger->leave(m_action.environment, m_deployment.id);
      environments::end_heartbeat(m_file);
    } catch (const std::exception& error) {
      m_action.console.warning(std::string("the environment's lock ends by itself: ") +
                               error.what());
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /// Records it, does it, and records how it ended.
  Deployment run(const std::function<environments::Conclusion(std::stop_token)>& work) {
    m_deployment.started = support::unix_seconds();
    m_deployment = m_ledger->begin(m_deployment);
    tell(environments::EventType::started, {});
    environments::Conclusion conclusion;
    try {
      conclusion = work(m_heartbeat->token());
    } catch (const support::Cancelled&) {
      const bool lost = m_heartbeat->lost();
      finish({.result = Result::canceled, .cause = lost ? "lost the lock" : "cancelled"});
      if (!lost) throw;
      throw support::SystemError(
          fmt::format("lost the lock of environment '{}': this program was stopped for too long",
                      m_action.environment),
          "another deployment may have begun: look at `berth env history`");
    } catch (const support::Error& error) {
      finish({.result = Result::failed, .cause = error.what()});
      throw;
    }
    finish(conclusion);
    const auto history = m_ledger->history(m_action.environment, 0);
    return find_number(history, m_deployment.number);
  }

  /// Throws OperatorError where somebody deployed between that one and this.
  void expect_newest(std::int64_t number) {
    for (const Deployment& one : m_ledger->history(m_action.environment, 2)) {
      if (one.number <= number || one.number == m_deployment.number) continue;
      throw support::OperatorError(
          fmt::format("deployment {} was made while this waited for the environment", one.number),
          "look at `berth env history`, then say which one by --to");
    }
  }

 private:
  void finish(const environments::Conclusion& conclusion) {
    m_ledger->finish(m_action.environment, m_deployment.id, conclusion);
    m_deployment.result = conclusion.result;
    tell(environments::type_of(conclusion.result), conclusion.cause);
  }

  void tell(environments::EventType type, const std::string& text) {
    m_events->tell(
        {.type = type, .at = support::unix_seconds(), .deployment = m_deployment, .text = text});
  }

  const EnvAction& m_action;
  std::shared_ptr<environments::Ledger> m_ledger;
  std::unique_ptr<environments::Events> m_events;
  Deployment m_deployment;
  std::filesystem::path m_file;
  std::optional<environments::Heartbeat> m_heartbeat;
};

template <typename Outcome>
environments::Conclusion conclusion_of(const Outcome& outcome) {
  return {.result = outcome.good() ? Result::success : Result::failed,
          .cause = outcome.cause(),
          .workloads = workloads::to_record(&outcome.before, outcome.after),
          .cluster = outcome.after.server,
          .name_space = outcome.after.name_space};
}

/// What the record that is gone back to (or taken over) says of its origin.
Deployment made_from(const Deployment& record, environments::Origin origin) {
  return {.tier = record.tier,
          .origin = origin,
          .of_number = record.number,
          .project = record.project,
          .project_id = record.project_id,
          .ref = record.ref,
          .sha = record.sha,
          .pipeline = record.pipeline,
          .cluster = record.cluster,
          .name_space = record.name_space};
}

}  // namespace

Where place_of(const Deployment& deployment) {
  return {.cluster = deployment.cluster, .name_space = deployment.name_space};
}

const Deployment* last_good(const std::vector<Deployment>& history, std::int64_t before,
                            const Where& where) {
  const auto fits = [](const std::string& wanted, const std::string& is) {
    return wanted.empty() || wanted == is;
  };
  const auto found = std::find_if(history.begin(), history.end(), [&](const Deployment& one) {
    return one.result == Result::success && one.action == environments::Action::start &&
           !one.workloads.empty() && (before == 0 || one.number < before) &&
           fits(where.cluster, one.cluster) && fits(where.name_space, one.name_space);
  });
  return found == history.end() ? nullptr : &*found;
}

std::vector<workloads::Difference> recorded_diff(const std::vector<Deployment>& history,
                                                 std::optional<std::int64_t> number,
                                                 std::optional<std::int64_t> other) {
  if (history.empty())
    throw support::OperatorError("no deployment is recorded",
                                 "`berth env list` shows where there are some");
  const Deployment& one = number ? find_number(history, *number) : history.front();
  if (other)
    return workloads::diff(workloads::state_after(one),
                           workloads::state_after(find_number(history, *other)));
  const Deployment* before = last_good(history, one.number, place_of(one));
  return workloads::diff(
      before != nullptr ? workloads::state_after(*before) : workloads::Snapshot{},
      workloads::state_after(one));
}

std::vector<workloads::Difference> env_drift(const EnvAction& action) {
  const auto history = history_of(action);
  const Deployment& record = good_or_throw(last_good(history, 0), action.environment);
  const auto client = client_of(action, record);
  const workloads::Snapshot live = workloads::observe(*client, record.name_space, action.stop);
  if (!live.unseen.empty()) {
    throw support::OperatorError(
        fmt::format("environment '{}': namespace '{}' cannot be read whole: {}", action.environment,
                    record.name_space, live.unseen.front()),
        "the credential needs get and list on Deployments, StatefulSets, DaemonSets, Jobs, "
        "CronJobs and pods");
  }
  return workloads::drift(workloads::state_after(record), live);
}

Deployment env_rollback(const EnvAction& action, std::int64_t number) {
  const auto history = history_of(action);
  const std::int64_t newest = history.empty() ? 0 : history.front().number;
  const Deployment& record = good_or_throw(
      number != 0
          ? &find_number(history, number)
          : last_good(history, newest, history.empty() ? Where{} : place_of(history.front())),
      action.environment);
  if (record.workloads.empty())
    throw support::OperatorError(
        fmt::format("deployment {} of environment '{}' has no workloads in its record",
                    record.number, action.environment),
        "`berth env show` tells what a record holds; name another one by --to");
  const auto client = client_of(action, record);
  Turn turn(action, made_from(record, environments::Origin::rollback));
  return turn.run([&](std::stop_token stop) {
    if (number == 0) turn.expect_newest(newest);
    return conclusion_of(workloads::roll_back(*client, workloads::state_after(record),
                                              gate_of(rule_of(action)), action.console,
                                              std::move(stop)));
  });
}

Deployment env_promote(const EnvAction& action, const std::string& source) {
  const auto ledger = make_ledger(action.settings, action.console, action.project);
  const auto ours = ledger->history(action.environment, 0);
  const Deployment& record = good_or_throw(last_good(ours, 0), action.environment);
  const auto theirs = ledger->history(source, 0);
  const Deployment& passed = good_or_throw(last_good(theirs, 0), source);
  const auto client = client_of(action, record);
  Deployment promotion = made_from(passed, environments::Origin::promotion);
  promotion.of_environment = source;
  promotion.tier = record.tier;
  promotion.cluster = record.cluster;
  promotion.name_space = record.name_space;
  Turn turn(action, std::move(promotion));
  return turn.run([&](std::stop_token stop) {
    return conclusion_of(workloads::promote(*client, workloads::state_after(passed),
                                            record.name_space, gate_of(rule_of(action)),
                                            action.console, std::move(stop)));
  });
}

Deployment env_stop(const EnvAction& action) {
  if (rule_of(action).review.name_space.empty()) {
    throw support::OperatorError(
        fmt::format("environment '{}' is no review environment: its rule makes no namespace",
                    action.environment),
        "only what Berth has made is removed by it: see `review` in berth.yaml");
  }
  const auto history = history_of(action);
  // One that nobody saw the end of does not tell.
  const auto known = std::find_if(history.begin(), history.end(),
                                  [](const Deployment& one) { return !one.name_space.empty(); });
  if (known == history.end()) {
    throw support::OperatorError(
        fmt::format("environment '{}': nothing tells where it is", action.environment),
        "its records have no namespace: nobody has looked at its cluster; remove it by kubectl");
  }
  const Deployment& record = *known;
  const auto client = client_of(action, record);
  Deployment deployment = made_from(record, environments::Origin::stop);
  deployment.action = environments::Action::stop;
  Turn turn(action, std::move(deployment));
  return turn.run([&](std::stop_token stop) -> environments::Conclusion {
    switch (workloads::remove_namespace(
        *client,
        {.name = record.name_space, .environment = action.environment, .project = record.project},
        std::move(stop))) {
      case workloads::NamespaceRemoval::begun:
      case workloads::NamespaceRemoval::absent:
        return {
            .result = Result::success, .cluster = record.cluster, .name_space = record.name_space};
      case workloads::NamespaceRemoval::not_ours:
        break;
    }
    return {.result = Result::failed,
            .cause = fmt::format("namespace '{}' was not made for it, and is left alone",
                                 record.name_space),
            .cluster = record.cluster,
            .name_space = record.name_space};
  });
}

std::vector<core::Garbage> end_expired_reviews(const settings::Settings& settings, bool dry_run,
                                               support::Console& console, std::stop_token stop) {
  std::vector<core::Garbage> ended;
  if (!settings.environments) return ended;
  std::vector<std::filesystem::path> done;
  for (const settings::EnvironmentRule& rule : settings.environments->rules) {
    const bool asked = std::find(done.begin(), done.end(), rule.kubeconfig) != done.end();
    if (rule.review.name_space.empty() || rule.kubeconfig.empty() || asked) continue;
    done.push_back(rule.kubeconfig);
    try {
      const auto client = workloads::connect(operators_target(rule, {}), console);
      for (const auto& one : workloads::find_expired(*client, support::unix_seconds(), stop)) {
        core::Garbage& garbage = ended.emplace_back();
        garbage.kind = "namespace";
        garbage.name = one.name;
        garbage.reason = fmt::format("the time of review environment '{}' was over at {}",
                                     one.environment, core::utc_minute(one.expires));
        if (dry_run) continue;
        try {
          // Not where somebody has deployed there since.
          if (workloads::remove_namespace(*client, one, stop) ==
              workloads::NamespaceRemoval::not_ours)
            ended.pop_back();
        } catch (const support::Error& error) {
          garbage.failure = error.what();
        }
      }
    } catch (const support::Error& error) {
      console.warning(fmt::format("review environments of rule '{}': {}", rule.name, error.what()));
    }
  }
  return ended;
}

}  // namespace berth::app
