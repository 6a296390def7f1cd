#include "executor/gitlab/environment.hpp"
#include "tests/support/catch.hpp"

#include <vector>

using namespace berth;

namespace {

gitlab::RunnerEnvironment read(std::vector<const char*> entries) {
  entries.push_back(nullptr);
  return gitlab::read_environment(entries.data());
}

}  // namespace

TEST_CASE("environment: what the runner sets") {
  const auto environment =
      read({"PATH=/bin", "TMPDIR=/tmp/custom-executor1", "BUILD_FAILURE_EXIT_CODE=3",
            "SYSTEM_FAILURE_EXIT_CODE=4", "BUILD_EXIT_CODE_FILE=/tmp/c/code",
            "JOB_RESPONSE_FILE=/tmp/c/response.json", "CUSTOM_ENV_A=1", "CUSTOM_ENV_B=x=y\nz",
            "CUSTOM_ENV_EMPTY=", "odd entry"});
  CHECK(environment.tmpdir == "/tmp/custom-executor1");
  CHECK(environment.build_failure_exit_code == 3);
  CHECK(environment.system_failure_exit_code == 4);
  CHECK(environment.build_exit_code_file == "/tmp/c/code");
  CHECK(environment.job_response_file == "/tmp/c/response.json");
  CHECK(environment.variables == std::map<std::string, std::string, std::less<>>{
                                     {"A", "1"}, {"B", "x=y\nz"}, {"EMPTY", ""}});
  CHECK(environment.variable("A") == "1");
  CHECK(environment.variable("PATH").empty());
}

TEST_CASE("environment: defaults, and values that are none") {
  const auto environment = read({});
  CHECK(environment.tmpdir.empty());
  CHECK(environment.build_failure_exit_code == 1);
  CHECK(environment.system_failure_exit_code == 2);
  for (const char* bad : {"BUILD_FAILURE_EXIT_CODE=", "BUILD_FAILURE_EXIT_CODE=x",
                          "BUILD_FAILURE_EXIT_CODE=0", "BUILD_FAILURE_EXIT_CODE=256",
                          "BUILD_FAILURE_EXIT_CODE=1 ", "BUILD_FAILURE_EXIT_CODE=99999999999"}) {
    CHECK(read({bad}).build_failure_exit_code == 1);
  }
}

TEST_CASE("environment: a job's variable cannot pose as the runner's") {
  const auto environment =
      read({"TMPDIR=/real", "CUSTOM_ENV_TMPDIR=/fake", "CUSTOM_ENV_JOB_RESPONSE_FILE=/fake.json",
            "CUSTOM_ENV_SYSTEM_FAILURE_EXIT_CODE=7"});
  CHECK(environment.tmpdir == "/real");
  CHECK(environment.job_response_file.empty());
  CHECK(environment.system_failure_exit_code == 2);
}
