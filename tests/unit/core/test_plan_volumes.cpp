#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/core/fixtures.hpp"

#include <set>

using namespace berth;
using core::plan;
using tests::a_job;
using tests::an_identity;
using tests::vars;

namespace {

const core::VolumeSpec& at(const core::JobSpec& spec, const std::string& destination) {
  for (const core::VolumeSpec& volume : spec.volumes) {
    if (volume.destination == destination) return volume;
  }
  FAIL("no volume at " << destination);
  return spec.volumes.front();
}

core::Variables strategy(const std::string& value) {
  return vars({{.key = "GIT_STRATEGY", .value = value}});
}

std::string builds_name(const core::Job& job, const core::Identity& identity = an_identity()) {
  return at(plan(job, strategy("fetch"), {}, identity), "/builds").name;
}

std::string cache_name(const core::Job& job, const core::Identity& identity = an_identity()) {
  return at(plan(job, {}, {}, identity), "/cache").name;
}

}  // namespace

TEST_CASE("volumes: a checkout is kept for fetch alone") {
  core::Job job = a_job();
  const auto kept = [&](const core::Variables& variables) {
    return !at(plan(job, variables, {}, an_identity()), "/builds").per_job;
  };
  CHECK(kept(strategy("fetch")));
  CHECK_FALSE(kept(strategy("clone")));
  CHECK_FALSE(kept(strategy("none")));
  CHECK_FALSE(kept(strategy("empty")));
  CHECK(kept({}));  // allow_git_fetch: the project's default is fetch
  CHECK(kept(strategy("odd")));
  job.allow_git_fetch = false;
  CHECK_FALSE(kept({}));
  CHECK(kept(strategy("fetch")));
}

TEST_CASE("volumes: names are the same for the next job of the project") {
  core::Identity next = an_identity();
  next.attempt = "ffffffffffff";
  next.tmpdir = "/tmp/other";
  next.now += 1000;
  core::Job job = a_job();
  job.id = 8;
  job.pipeline_id = 6;
  job.ref = "other";
  CHECK(builds_name(job, next) == builds_name(a_job()));
  CHECK(cache_name(job, next) == cache_name(a_job()));
}

TEST_CASE("volumes: project, server, runner, slot and protected refs are apart") {
  std::set<std::string> builds;
  std::set<std::string> caches;
  const auto add = [&](const core::Job& job, const core::Identity& identity) {
    builds.insert(builds_name(job, identity));
    caches.insert(cache_name(job, identity));
  };
  add(a_job(), an_identity());
  core::Job job = a_job();
  job.project_id = 43;
  add(job, an_identity());
  job = a_job();
  job.ref_protected = true;
  add(job, an_identity());
  job = a_job();
  job.variables = vars({{.key = "CI_SERVER_HOST", .value = "git.example.com"}});
  add(job, an_identity());
  core::Identity identity = an_identity();
  identity.runner_short_token = "other";
  add(a_job(), identity);
  CHECK(builds.size() == 5);
  CHECK(caches.size() == 5);
  identity = an_identity();
  identity.concurrent_project_id = "4";
  CHECK_FALSE(builds.contains(builds_name(a_job(), identity)));
  CHECK(caches.contains(cache_name(a_job(), identity)));  // /cache is one for all slots
  CHECK(cache_name(a_job()) != builds_name(a_job()));
}

TEST_CASE("volumes: a job cannot choose another project's or a protected volume") {
  // Both values come from CUSTOM_ENV_, which a job can override.
  core::Identity identity = an_identity();
  identity.runner_short_token = "x/../project-99";
  identity.concurrent_project_id = "0-builds-protected";
  const std::string name = builds_name(a_job(), identity);
  CHECK_THAT(name, StartsWith("berth-gitlab-project-42-"));
  CHECK_FALSE(name.ends_with("-protected"));
  CHECK(name.find('/') == std::string::npos);
  core::Job job = a_job();
  job.ref_protected = true;
  CHECK(builds_name(job, identity).ends_with("-protected"));
  // The server's name: the first definition is GitLab's.
  job = a_job();
  job.variables = vars({{.key = "CI_SERVER_HOST", .value = "git.example.com"},
                        {.key = "CI_SERVER_HOST", .value = "evil"}});
  CHECK_THAT(builds_name(job), StartsWith("berth-git.example.com-project-42-"));
}

TEST_CASE("volumes: names of a known job, for ever") {
  CHECK(builds_name(a_job()) == "berth-gitlab-project-42-6403720dc6a3df1e-builds");
  CHECK(cache_name(a_job()) == "berth-gitlab-project-42-64037b0dc6a3ee69-cache");
}

TEST_CASE("volumes: disable_cache makes all of them the job's own") {
  core::Policy policy;
  policy.disable_cache = true;
  policy.volumes = {"/root/.m2", "/srv:/srv:ro"};
  const core::JobSpec spec = plan(a_job(), strategy("fetch"), policy, an_identity());
  REQUIRE(spec.volumes.size() == 3);
  for (const core::VolumeSpec& volume : spec.volumes) {
    CHECK(volume.per_job);
    CHECK_THAT(volume.name, StartsWith("berth-7-0a1b2c3d4e5f-"));
  }
  CHECK(at(spec, "/builds").name == "berth-7-0a1b2c3d4e5f-builds");
  CHECK(spec.binds.size() == 1);
}

TEST_CASE("volumes: what the settings ask for") {
  core::Policy policy;
  policy.volumes = {"/root/.m2", "/srv/$X:/data/$X:ro", "/$X/y/"};
  const core::JobSpec spec =
      plan(a_job(), vars({{.key = "X", .value = "x"}}), policy, an_identity());
  CHECK_FALSE(at(spec, "/root/.m2").per_job);
  CHECK_FALSE(at(spec, "/x/y").per_job);
  CHECK(at(spec, "/x/y").name != at(spec, "/root/.m2").name);
  REQUIRE(spec.binds.size() == 1);
  // The destination is expanded, the source never.
  CHECK(spec.binds[0] == core::BindSpec{"/srv/$X", "/data/x", "ro"});
}

TEST_CASE("volumes: an expanded destination cannot leave its form") {
  core::Policy policy;
  policy.volumes = {"/srv:/$X"};
  for (const char* value : {"../etc", "", "a:rw", "a:/b"}) {
    INFO(value);
    CHECK_THROWS_AS(plan(a_job(), vars({{.key = "X", .value = value}}), policy, an_identity()),
                    support::OperatorError);
  }
  policy.volumes = {"/data/$X"};
  CHECK_THROWS_AS(plan(a_job(), vars({{.key = "X", .value = "x:/etc"}}), policy, an_identity()),
                  support::OperatorError);
}

TEST_CASE("volumes: a mount over /builds or /cache takes the volume's place") {
  core::Policy policy;
  policy.volumes = {"/fast:/builds", "/shared:/cache"};
  core::JobSpec spec = plan(a_job(), {}, policy, an_identity());
  CHECK(spec.volumes.empty());
  CHECK(spec.binds.size() == 2);
  policy.volumes = {"/builds", "/cache"};
  spec = plan(a_job(), strategy("clone"), policy, an_identity());
  CHECK(spec.volumes.size() == 2);
  CHECK_FALSE(at(spec, "/builds").per_job);
  CHECK(at(spec, "/cache").name == cache_name(a_job()));
}

TEST_CASE("volumes: cache_dir keeps them in a directory of the host") {
  core::Policy policy;
  policy.cache_dir = "/var/cache/ci/";
  const core::JobSpec spec = plan(a_job(), strategy("clone"), policy, an_identity());
  REQUIRE(spec.volumes.size() == 1);
  CHECK(spec.volumes[0].destination == "/builds");  // not kept, so not there
  REQUIRE(spec.binds.size() == 1);
  CHECK(spec.binds[0].source == "/var/cache/ci/" + cache_name(a_job()));
  CHECK(spec.binds[0].destination == "/cache");
}

TEST_CASE("volumes: bad entries are the operator's fault") {
  core::Policy policy;
  policy.volumes = {"nonsense"};
  CHECK_THROWS_AS(plan(a_job(), {}, policy, an_identity()), support::OperatorError);
  policy.volumes = {"/a", "/$NONE/a"};
  CHECK_THROWS_WITH(plan(a_job(), {}, policy, an_identity()), ContainsSubstring("mounted twice"));
}
