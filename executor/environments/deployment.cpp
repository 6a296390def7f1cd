#include "executor/environments/deployment.hpp"

#include "executor/environments/ledger.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

namespace berth::environments {

void conclude(Deployment& deployment, const Conclusion& conclusion, std::int64_t now) {
  deployment.result = conclusion.result;
  deployment.cause = conclusion.cause;
  deployment.ended = now;
  if (!conclusion.workloads.empty()) deployment.workloads = conclusion.workloads;
  if (!conclusion.cluster.empty()) deployment.cluster = conclusion.cluster;
  if (!conclusion.name_space.empty()) deployment.name_space = conclusion.name_space;
}

std::string_view to_string(Action action) {
  switch (action) {
    case Action::start:
      return "start";
    case Action::prepare:
      return "prepare";
    case Action::verify:
      return "verify";
    case Action::access:
      return "access";
    case Action::stop:
      return "stop";
  }
  return "start";
}

Action action_of(std::string_view word) {
  if (word.empty()) return Action::start;
  for (const Action action :
       {Action::start, Action::prepare, Action::verify, Action::access, Action::stop}) {
    if (word == to_string(action)) return action;
  }
  throw support::JobError(fmt::format("unknown environment:action: '{}'", word),
                          "GitLab knows start, prepare, verify, access and stop");
}

bool is_deployment(Action action) {
  return action == Action::start || action == Action::stop;
}

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::job:
      return "job";
    case Origin::rollback:
      return "rollback";
    case Origin::promotion:
      return "promotion";
    case Origin::stop:
      return "stop";
  }
  return "job";
}

std::string_view to_string(Result result) {
  switch (result) {
    case Result::running:
      return "running";
    case Result::success:
      return "success";
    case Result::failed:
      return "failed";
    case Result::canceled:
      return "canceled";
    case Result::lost:
      return "lost";
  }
  return "lost";
}

std::string_view to_string(Change change) {
  switch (change) {
    case Change::unchanged:
      return "unchanged";
    case Change::created:
      return "created";
    case Change::updated:
      return "updated";
    case Change::removed:
      return "removed";
  }
  return "unchanged";
}

}  // namespace berth::environments
