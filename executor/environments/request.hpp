#pragma once

#include "executor/core/job.hpp"
#include "executor/environments/deployment.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What a job says of its environment, from the payload of GitLab alone.
namespace berth::environments {

/// Facts that rules are about; nothing in it comes from CUSTOM_ENV_*.
struct Request {
  std::string environment{};
  std::string slug{};
  std::string tier{};
  Action action = Action::start;
  std::string url{};
  /// GitLab login.
  std::string user{};
  std::string project{};
  std::int64_t project_id = 0;
  std::string ref{};
  bool ref_protected = false;
  std::string sha{};
  /// CI_PIPELINE_SOURCE: push, schedule, web, ...
  std::string source{};
  std::int64_t pipeline = 0;
  std::int64_t job = 0;
  std::string job_url{};
  /// CI_DEPLOY_FREEZE: the project's own freeze period.
  bool gitlab_freeze = false;
  bool operator==(const Request&) const = default;
};

/// Nothing for a job without `environment:`. A job can define variables of any name
/// too, and GitLab sends its own definition beside that one, before it or behind it:
/// a variable that is told in two ways is no fact. Throws JobError that names it.
std::optional<Request> request_of(const core::Job& job);

/// The value that all definitions of a variable agree on, "" where there is none.
/// Throws JobError where they differ.
std::string agreed(const core::Variables& variables, std::string_view key);

/// The record of what is asked for, without number, times and result.
Deployment deployment_of(const Request& request, const std::string& id);

}  // namespace berth::environments
