#pragma once

#include "executor/core/job_spec.hpp"

namespace berth::tests {

/// A plan with something in every part the bodies read.
inline core::JobSpec sample_spec() {
  core::JobSpec spec;
  spec.backend = "docker";
  spec.job_id = 42;
  spec.project_id = 7;
  spec.attempt = "0123456789ab";
  spec.tmpdir = "/tmp/custom-executor123";
  spec.resource_name = "berth-42-0123456789ab";
  spec.hostname = "runner-abc-project-7-concurrent-0";
  spec.builds_dir = "/builds";
  spec.cache_dir = "/cache";
  spec.deadline = 1800000000;
  spec.orphan_timeout = std::chrono::seconds(900);
  spec.helper.image = "helper:x86_64-v1";
  spec.build.image = "debian:bookworm";
  spec.volumes = {{.name = "berth-builds-7-0", .destination = "/builds", .per_job = false},
                  {.name = "berth-cache-7", .destination = "/cache", .per_job = false}};
  spec.labels = {{"com.gitlab.gitlab-runner.job.id", "42"},
                 {"com.gitlab.gitlab-runner.project.id", "7"}};
  return spec;
}

inline core::ServiceSpec sample_service() {
  core::ServiceSpec service;
  service.container.image = "postgres:15";
  service.aliases = {"postgres", "db"};
  service.job_index = 0;
  return service;
}

}  // namespace berth::tests
