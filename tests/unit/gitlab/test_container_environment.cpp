#include "executor/gitlab/container_environment.hpp"
#include "tests/support/catch.hpp"

using namespace berth;

namespace {

std::map<std::string, std::string> as_map(const core::Variables& variables) {
  std::map<std::string, std::string> map;
  for (const core::Variable& variable : variables.all()) map[variable.key] = variable.value;
  return map;
}

core::Job job_with(std::vector<core::Variable> variables) {
  core::Job job;
  job.variables = core::Variables(std::move(variables));
  return job;
}

}  // namespace

TEST_CASE("container environment: public and internal variables, nothing else") {
  const core::Job job = job_with({{.key = "PUB", .value = "$X", .is_public = true},
                                  {.key = "PRIV", .value = "secret", .masked = true}});
  gitlab::RunnerEnvironment environment;
  environment.variables = {{"PUB", "expanded"},
                           {"PRIV", "secret"},
                           {"CI_RUNNER_VERSION", "19.4.0"},
                           {"FF_TIMESTAMPS", "true"},
                           {"CI_JOB_SERVICES", "[]"}};
  const core::Variables expanded = gitlab::expanded_variables(job, environment);
  CHECK(expanded.get("PRIV") == "secret");
  CHECK(expanded.find("PRIV")->masked);
  CHECK(expanded.find("CI_JOB_SERVICES") == nullptr);
  CHECK(as_map(gitlab::container_environment(job, expanded)) ==
        std::map<std::string, std::string>{
            {"PUB", "expanded"}, {"CI_RUNNER_VERSION", "19.4.0"}, {"FF_TIMESTAMPS", "true"}});
}

TEST_CASE("container environment: the last definition says whether it is public") {
  const core::Job job = job_with({{.key = "A", .value = "1", .is_public = true},
                                  {.key = "A", .value = "2"},
                                  {.key = "B", .value = "1"},
                                  {.key = "B", .value = "2", .is_public = true}});
  gitlab::RunnerEnvironment environment;
  environment.variables = {{"A", "2"}, {"B", "2"}};
  const auto allowed =
      as_map(gitlab::container_environment(job, gitlab::expanded_variables(job, environment)));
  CHECK(allowed == std::map<std::string, std::string>{{"B", "2"}});
}

TEST_CASE("container environment: a resolved secret never gets in") {
  core::Job job = job_with({{.key = "DB_PASSWORD", .value = "placeholder", .is_public = true}});
  job.secret_keys = {"DB_PASSWORD", "API_KEY"};
  gitlab::RunnerEnvironment environment;
  environment.variables = {{"DB_PASSWORD", "hunter2"}, {"API_KEY", "k"}};
  const core::Variables expanded = gitlab::expanded_variables(job, environment);
  CHECK(gitlab::container_environment(job, expanded).all().empty());
  CHECK(expanded.get("API_KEY") == "k");
}

TEST_CASE("container environment: a file variable is its path") {
  const core::Job job =
      job_with({{.key = "CERT", .value = "pem", .is_public = true, .file = true}});
  gitlab::RunnerEnvironment environment;
  environment.variables = {{"CERT", "pem"},
                           {"CI_SERVER_TLS_CA_FILE", "-----BEGIN CERTIFICATE-----"},
                           {"RUNNER_TEMP_PROJECT_DIR", "/builds/g/p.tmp"}};
  const core::Variables expanded = gitlab::expanded_variables(job, environment);
  CHECK(expanded.get("CERT") == "pem");
  CHECK(as_map(gitlab::container_environment(job, expanded)) ==
        std::map<std::string, std::string>{
            {"CERT", "/builds/g/p.tmp/CERT"},
            {"CI_SERVER_TLS_CA_FILE", "/builds/g/p.tmp/CI_SERVER_TLS_CA_FILE"},
            {"RUNNER_TEMP_PROJECT_DIR", "/builds/g/p.tmp"}});
}

TEST_CASE("service environment: its own variables, expanded with all of the job's") {
  const core::Job job = job_with({{.key = "BUILD_VAR", .value = "public", .is_public = true},
                                  {.key = "PRIVATE", .value = "private"}});
  gitlab::RunnerEnvironment environment;
  environment.variables = {{"BUILD_VAR", "public"}, {"PRIVATE", "private"}};
  const core::Variables expanded = gitlab::expanded_variables(job, environment);
  const core::Variables container = gitlab::container_environment(job, expanded);
  const core::Variables service =
      gitlab::service_environment(container, expanded,
                                  {{.key = "A", .value = "$BUILD_VAR-$PRIVATE-$OWN"},
                                   {.key = "OWN", .value = "own"},
                                   {.key = "RAW", .value = "$BUILD_VAR", .raw = true},
                                   {.key = "BUILD_VAR", .value = "mine"}});
  CHECK(as_map(service) == std::map<std::string, std::string>{{"A", "mine-private-own"},
                                                              {"OWN", "own"},
                                                              {"RAW", "$BUILD_VAR"},
                                                              {"BUILD_VAR", "mine"}});
  // What nobody asked for stays out.
  CHECK(service.find("PRIVATE") == nullptr);
}
