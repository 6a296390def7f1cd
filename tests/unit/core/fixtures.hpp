#pragma once

#include "executor/core/planner.hpp"

namespace berth::tests {

inline core::Variables vars(std::vector<core::Variable> all) {
  return core::Variables(std::move(all));
}

inline core::Job a_job() {
  core::Job job;
  job.id = 7;
  job.name = "test";
  job.project_id = 42;
  job.pipeline_id = 5;
  job.ref = "main";
  job.sha = "0123456789abcdef";
  job.allow_git_fetch = true;
  job.image = core::Image{.name = "debian:bookworm"};
  return job;
}

inline core::Identity an_identity() {
  return {.attempt = "0a1b2c3d4e5f",
          .tmpdir = "/tmp/custom-executor1",
          .host = "feed-1:2",
          .machine = "x86_64",
          .now = 1'000'000,
          .runner_short_token = "aBcDeF12",
          .concurrent_project_id = "3",
          .runner_version = "19.4.0"};
}

}  // namespace berth::tests
