#include "executor/core/job.hpp"
#include "executor/core/stage.hpp"
#include "tests/support/catch.hpp"

using namespace berth::core;

TEST_CASE("stages: which container") {
  for (const char* name :
       {"prepare_script", "get_sources", "clear_worktree", "restore_cache", "download_artifacts",
        "archive_cache", "archive_cache_on_failure", "upload_artifacts_on_success",
        "upload_artifacts_on_failure", "cleanup_file_variables"}) {
    INFO(name);
    CHECK(ScriptStage(name).container() == ContainerRole::helper);
    CHECK_FALSE(ScriptStage(name).runs_user_script());
  }
  for (const char* name : {"build_script", "step_script", "step_release", "after_script"}) {
    INFO(name);
    CHECK(ScriptStage(name).container() == ContainerRole::build);
    CHECK(ScriptStage(name).runs_user_script());
  }
  CHECK(ScriptStage("something_new").container() == ContainerRole::build);
  CHECK_FALSE(ScriptStage("something_new").runs_user_script());
}

TEST_CASE("variables: the last counts, the first is what GitLab predefined") {
  const Variables variables({{.key = "A", .value = "1"}, {.key = "A", .value = "2"}});
  CHECK(variables.get("A") == "2");
  CHECK(variables.find_original("A")->value == "1");
  CHECK(variables.find("B") == nullptr);
  CHECK(variables.find_original("B") == nullptr);
  CHECK(variables.get("B").empty());
}

TEST_CASE("variables: switched on") {
  for (const char* value : {"1", "t", "T", "true", "True", "TRUE"}) {
    CHECK(Variables(std::vector<Variable>{{.key = "FF", .value = value}}).is_on("FF"));
  }
  for (const char* value : {"", "0", "false", "yes", "2", " true"}) {
    CHECK_FALSE(Variables(std::vector<Variable>{{.key = "FF", .value = value}}).is_on("FF"));
  }
}
