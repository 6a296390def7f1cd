#pragma once

#include "cli/local/runner/payload.hpp"

#include <atomic>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace berth::tests {

/// What GitLab sends for a job of one script that needs no sources
/// (GIT_STRATEGY none), with an id that no other call gives.
inline local::runner::Payload minimal_payload(const std::string& name, const std::string& image,
                                              std::vector<std::string> script) {
  static std::atomic<int> next{1};
  local::runner::Payload payload;
  payload.id = ::getpid() * 10000L + next++;
  payload.token = "token-of-the-job";
  payload.job_info.name = name;
  payload.job_info.stage = "test";
  payload.job_info.project_id = 7;
  payload.job_info.project_name = "project";
  payload.git_info.repo_url = "http://127.0.0.1/group/project.git";
  payload.git_info.ref = "main";
  payload.git_info.sha = std::string(40, 'a');
  payload.git_info.before_sha = payload.git_info.sha;
  payload.runner_info.timeout = 600;
  payload.image.name = image;
  local::runner::Variable strategy;
  strategy.key = "GIT_STRATEGY";
  strategy.value = "none";
  payload.variables.push_back(std::move(strategy));
  local::runner::Step step;
  step.name = "script";
  step.script = std::move(script);
  payload.steps.push_back(std::move(step));
  return payload;
}

}  // namespace berth::tests
