#include "tests/support/catch.hpp"
#include "tests/unit/local/play_fixture.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <thread>

using namespace berth::local::runner;
using berth::tests::FakeDriver;

namespace {

using Names = std::vector<std::string>;

Names full_success() {
  return {"config",          "prepare",          "run prepare_script",
          "run get_sources", "run build_script", "run cleanup_file_variables",
          "cleanup"};
}

}  // namespace

TEST_CASE("a job runs the four programs in the runner's order") {
  FakeDriver driver;
  const JobResult result = driver.play();
  CHECK(result.state == JobState::success);
  CHECK(driver.calls() == full_success());
  CHECK_THAT(driver.observer.notes,
             ContainsSubstring("the 'build_script' stage will be replaced with"));
  CHECK_THAT(driver.observer.notes, ContainsSubstring("Job succeeded"));
  CHECK(driver.observer.sections == Names{"prepare_executor", "prepare_script", "get_sources",
                                          "step_script", "cleanup_file_variables"});
}

TEST_CASE("a stage without work is not called, and one with work is") {
  FakeDriver driver;
  driver.config.url = "http://runner.example";
  driver.payload.cache = {{.key = "k", .paths = {"vendor"}}};
  driver.payload.artifacts = {{.paths = {"out"}}};
  driver.payload.dependencies = {
      {.id = 4, .token = "t", .name = "build", .filename = "artifacts.zip"},
      {.id = 5, .token = "t", .name = "nothing left"}};
  driver.payload.steps.push_back({.name = "after_script", .script = {"true"}});
  driver.payload.steps.push_back({.name = "release", .script = {"true"}});
  CHECK(driver.play().state == JobState::success);
  CHECK(driver.calls() == Names{"config", "prepare", "run prepare_script", "run get_sources",
                                "run restore_cache", "run download_artifacts", "run build_script",
                                "run step_release", "run after_script", "run archive_cache",
                                "run upload_artifacts_on_success", "run cleanup_file_variables",
                                "cleanup"});
}

TEST_CASE("arguments, working directory and standard input are the runner's") {
  FakeDriver driver;
  driver.on("run",
            "echo \"$# $1 $(basename $2) $(stat -c %a $2) $3\"; pwd; read -r line || echo eof;"
            "[ \"$(cut -d' ' -f5 /proc/$$/stat)\" = $$ ] && echo own-group; ls /proc/$$/fd | wc "
            "-l; exit 0");
  driver.play();
  const std::string tmpdir = driver.environment(2)["TMPDIR"];
  CHECK_THAT(driver.observer.out,
             StartsWith("3 --flag script 700 prepare_script\n" + tmpdir + "\neof\nown-group\n"));
  CHECK(tmpdir != "/must/be/overridden");
  CHECK_FALSE(std::filesystem::exists(tmpdir));
}

TEST_CASE("job_env comes before CUSTOM_ENV_ and is absent while config runs") {
  FakeDriver driver;
  driver.on(
      "config",
      R"(echo '{"job_env":{"FROM_CONFIG":"1","TMPDIR":"/elsewhere","CUSTOM_ENV_MINE":"lost"},"unknown":[]}')");
  driver.variable("MINE", "kept $OTHER");
  driver.variable("OTHER", "value");
  driver.play();
  auto config = driver.environment(1);
  auto prepare = driver.environment(2);
  CHECK(config.count("FROM_CONFIG") == 0);
  CHECK(prepare["FROM_CONFIG"] == "1");
  CHECK(prepare["TMPDIR"] == "/elsewhere");
  CHECK(prepare["CUSTOM_ENV_MINE"] == "kept value");
  CHECK(prepare["BUILD_FAILURE_EXIT_CODE"] == "1");
  CHECK(prepare["SYSTEM_FAILURE_EXIT_CODE"] == "2");
  CHECK(prepare["BUILD_EXIT_CODE_FILE"] == config["TMPDIR"] + "/build_exit_code");
  CHECK(prepare["JOB_RESPONSE_FILE"] == config["TMPDIR"] + "/response.json");
}

TEST_CASE("directories are unknown while config runs and right from prepare on") {
  FakeDriver driver;
  driver.on("config", R"(echo '{"builds_dir":"/b","cache_dir":"/c","builds_dir_is_shared":true}')");
  driver.config.concurrent_project_id = 3;
  driver.play();
  auto config = driver.environment(1);
  auto prepare = driver.environment(2);
  CHECK(config["CUSTOM_ENV_CI_PROJECT_DIR"].empty());
  CHECK(config["CUSTOM_ENV_RUNNER_TEMP_PROJECT_DIR"] == ".tmp");
  CHECK(prepare["CUSTOM_ENV_CI_BUILDS_DIR"] == "/b");
  CHECK(prepare["CUSTOM_ENV_CI_PROJECT_DIR"] == "/b/berthlocal/3/group/project");
  CHECK(prepare["CUSTOM_ENV_RUNNER_TEMP_PROJECT_DIR"] == "/b/berthlocal/3/group/project.tmp");
}

TEST_CASE("the response file can be read in prepare and is private") {
  FakeDriver driver;
  driver.on("prepare", "stat -c %a $JOB_RESPONSE_FILE; cat $JOB_RESPONSE_FILE");
  driver.play();
  REQUIRE(driver.observer.out.starts_with("600\n"));
  const auto job = nlohmann::json::parse(driver.observer.out.substr(4));
  CHECK(job.at("id") == 77);
  CHECK(job.at("job_info").at("name") == "unit");
}

TEST_CASE("image and service names are expanded before the response file is written") {
  FakeDriver driver;
  driver.variable("TAG", "1.2");
  driver.payload.image.name = "app:$TAG";
  driver.payload.services = {{.name = "db:${TAG}", .alias = "d-$TAG,e"}};
  driver.on("prepare", "cat $JOB_RESPONSE_FILE");
  driver.play();
  const auto job = nlohmann::json::parse(driver.observer.out);
  CHECK(job.at("image").at("name") == "app:1.2");
  CHECK(job.at("services").at(0).at("name") == "db:1.2");
  auto prepare = driver.environment(2);
  CHECK(prepare["CUSTOM_ENV_CI_JOB_IMAGE"] == "app:1.2");
  CHECK(nlohmann::json::parse(prepare["CUSTOM_ENV_CI_JOB_SERVICES"]).at(0).at("alias") == "d-1.2");
}

TEST_CASE("config output that is no JSON is tried three times and blames the system") {
  FakeDriver driver;
  driver.on("config", "echo '{broken'");
  const JobResult result = driver.play();
  CHECK(result.failure_reason == "runner_system_failure");
  CHECK(driver.calls() == Names{"config", "cleanup", "config", "cleanup", "config", "cleanup"});
}

TEST_CASE("an empty builds_dir is a configuration error without a retry") {
  FakeDriver driver;
  driver.on("config", R"(echo '{"builds_dir":""}')");
  const JobResult result = driver.play();
  CHECK(result.failure_reason == "runner_configuration_error");
  CHECK(driver.calls() == Names{"config", "cleanup"});
}

TEST_CASE("a shell the runner does not know is retried") {
  FakeDriver driver;
  driver.on("config", R"(echo '{"shell":"fish"}')");
  const JobResult result = driver.play();
  CHECK(result.message == "shell fish not found");
  CHECK(driver.calls().size() == 6);
}

TEST_CASE("the driver's name is announced") {
  FakeDriver driver;
  driver.on("config", R"(echo '{"driver":{"name":"berth","version":"1"}}')");
  driver.play();
  CHECK_THAT(driver.observer.notes,
             ContainsSubstring("Using Custom executor with driver berth 1..."));
}

TEST_CASE(
    "prepare that exits 2 is tried three times, with cleanup between, each with a new TMPDIR") {
  FakeDriver driver;
  driver.on("prepare", "exit 2");
  const JobResult result = driver.play();
  CHECK(result.failure_reason == "runner_system_failure");
  CHECK(result.message == "exit status 2");
  CHECK(driver.calls() == Names{"config", "prepare", "cleanup", "config", "prepare", "cleanup",
                                "config", "prepare", "cleanup"});
  CHECK(driver.environment(1)["TMPDIR"] == driver.environment(3)["TMPDIR"]);
  CHECK(driver.environment(1)["TMPDIR"] != driver.environment(4)["TMPDIR"]);
  CHECK_THAT(driver.observer.notes, ContainsSubstring("Preparation failed: exit status 2"));
}

TEST_CASE("prepare that exits 1 is the job's failure: no retry") {
  FakeDriver driver;
  driver.on("prepare", "exit 1");
  const JobResult result = driver.play();
  CHECK(result.failure_reason == "script_failure");
  CHECK(result.exit_code == 1);
  CHECK(driver.calls() == Names{"config", "prepare", "cleanup"});
}

TEST_CASE("prepare that succeeds at the second attempt goes on") {
  FakeDriver driver;
  driver.on("prepare", "[ -e $HOME/once ] && exit 0; touch $HOME/once; exit 2");
  CHECK(driver.play().state == JobState::success);
  CHECK(driver.calls().size() == 3 + full_success().size());
}

TEST_CASE("cleanup after a failed config has no job_env") {
  FakeDriver driver;
  driver.on("config", R"(echo '{"job_env":{"FROM_CONFIG":"1"}}'; exit 1)");
  driver.play();
  CHECK(driver.calls() == Names{"config", "cleanup"});
  CHECK(driver.environment(2).count("FROM_CONFIG") == 0);
}

TEST_CASE("the exit code file decides what exit 1 means") {
  struct Row {
    const char* body;
    const char* reason;
    int code;
    const char* message;
  };
  const Row row = GENERATE(
      Row{"exit 1", "script_failure", 1, "exit status 1"},
      Row{"echo 42 > $BUILD_EXIT_CODE_FILE; exit 1", "script_failure", 42, "exit status 42"},
      Row{"printf '42\\nmore\\n' > $BUILD_EXIT_CODE_FILE; exit 1", "script_failure", 42,
          "exit status 42"},
      Row{"printf '42\\n' > $BUILD_EXIT_CODE_FILE; exit 2", "runner_system_failure", 0,
          "exit status 2"},
      Row{": > $BUILD_EXIT_CODE_FILE; exit 1", "runner_system_failure", 0,
          "unknown Custom executor executable exit code 2; executable execution terminated with: "
          "exit status 1"},
      Row{"echo ' 42' > $BUILD_EXIT_CODE_FILE; exit 1", "runner_system_failure", 0,
          "unknown Custom executor executable exit code 2; executable execution terminated with: "
          "exit status 1"},
      Row{"echo forty > $BUILD_EXIT_CODE_FILE; exit 1", "runner_system_failure", 0,
          "unknown Custom executor executable exit code 2; executable execution terminated with: "
          "exit status 1"},
      Row{"exit 255", "runner_system_failure", 0,
          "unknown Custom executor executable exit code 255; executable execution terminated with: "
          "exit status 255"});
  CAPTURE(row.body);
  FakeDriver driver;
  driver.on("run", std::string("[ $stage = build_script ] || exit 0; ") + row.body);
  const JobResult result = driver.play();
  CHECK(result.state == JobState::failed);
  CHECK(result.failure_reason == row.reason);
  CHECK(result.exit_code == row.code);
  CHECK(result.message == row.message);
}

TEST_CASE("a driver killed by a signal is a system failure") {
  FakeDriver driver;
  driver.on("run", "[ $stage = build_script ] && kill -KILL $$; exit 0");
  const JobResult result = driver.play();
  CHECK(result.failure_reason == "runner_system_failure");
  CHECK_THAT(result.message, StartsWith("unknown Custom executor executable exit code -1"));
}

TEST_CASE("a program that cannot be started is a system failure") {
  FakeDriver driver;
  driver.config.custom.prepare.program = "/nonexistent/berth-prepare";
  const JobResult result = driver.play();
  CHECK(result.failure_reason == "runner_system_failure");
  CHECK_THAT(result.message, ContainsSubstring("/nonexistent/berth-prepare"));
  CHECK(driver.calls() == Names{"config", "cleanup", "config", "cleanup", "config", "cleanup"});
}

TEST_CASE("a bare program name is found in the runner's PATH") {
  FakeDriver driver;
  driver.config.custom.prepare.program = "true";
  CHECK(driver.play().state == JobState::success);
}

TEST_CASE("a failing script leads to the on_failure stages and to after_script") {
  FakeDriver driver;
  driver.config.url = "http://runner.example";
  driver.payload.cache = {{.key = "k", .paths = {"a"}, .when = "always"}};
  driver.payload.artifacts = {{.paths = {"a"}}, {.paths = {"b"}, .when = "on_failure"}};
  driver.payload.steps.push_back({.name = "after_script", .script = {"true"}});
  driver.on("run", "[ $stage = build_script ] && exit 1; exit 0");
  CHECK(driver.play().failure_reason == "script_failure");
  CHECK(driver.calls() == Names{"config", "prepare", "run prepare_script", "run get_sources",
                                "run restore_cache", "run build_script", "run after_script",
                                "run archive_cache_on_failure", "run upload_artifacts_on_failure",
                                "run cleanup_file_variables", "cleanup"});
  CHECK(driver.environment(6)["CUSTOM_ENV_CI_JOB_STATUS"] == "running");
  for (int call : {7, 8, 10, 11})
    CHECK(driver.environment(call)["CUSTOM_ENV_CI_JOB_STATUS"] == "failed");
}

TEST_CASE("a failing after_script is ignored unless the job says otherwise") {
  FakeDriver driver;
  driver.payload.steps.push_back({.name = "after_script", .script = {"true"}});
  driver.on("run", "[ $stage = after_script ] && exit 1; exit 0");
  SECTION("default") {
    CHECK(driver.play().state == JobState::success);
  }
  SECTION("AFTER_SCRIPT_IGNORE_ERRORS=false") {
    driver.variable("AFTER_SCRIPT_IGNORE_ERRORS", "false");
    CHECK(driver.play().failure_reason == "script_failure");
  }
}

TEST_CASE("after a failed prepare_script nothing but cleanup follows") {
  FakeDriver driver;
  driver.on("run", "exit 1");
  const JobResult result = driver.play();
  CHECK_THAT(result.message, StartsWith("prepare environment: exit status 1. Check https://"));
  CHECK(driver.calls() == Names{"config", "prepare", "run prepare_script", "cleanup"});
}

TEST_CASE("get_sources is repeated as often as the job asks, the worktree cleared once") {
  FakeDriver driver;
  driver.variable("GET_SOURCES_ATTEMPTS", "3");
  driver.on("run", "[ $stage = get_sources ] && exit 1; exit 0");
  const JobResult result = driver.play();
  CHECK(result.failure_reason == "script_failure");
  CHECK(driver.calls() == Names{"config", "prepare", "run prepare_script", "run get_sources",
                                "run clear_worktree", "run get_sources", "run get_sources",
                                "run cleanup_file_variables", "cleanup"});
}

TEST_CASE("restore_cache and download_artifacts have attempts of their own") {
  FakeDriver driver;
  driver.variable("RESTORE_CACHE_ATTEMPTS", "2");
  driver.variable("ARTIFACT_DOWNLOAD_ATTEMPTS", "2");
  driver.payload.cache = {{.key = "k", .paths = {"a"}}};
  driver.payload.dependencies = {{.id = 4, .token = "t", .name = "build", .filename = "a.zip"}};
  driver.on("run",
            "f=$HOME/$stage; case $stage in restore_cache|download_artifacts) [ -e $f ] || { touch "
            "$f; exit 2; };; esac; exit 0");
  CHECK(driver.play().state == JobState::success);
  const Names calls = driver.calls();
  CHECK(std::count(calls.begin(), calls.end(), "run restore_cache") == 2);
  CHECK(std::count(calls.begin(), calls.end(), "run download_artifacts") == 2);
}

TEST_CASE("a failing cleanup changes nothing but is told") {
  FakeDriver driver;
  driver.on("cleanup", "exit 7");
  CHECK(driver.play().state == JobState::success);
  CHECK_THAT(driver.observer.notes,
             ContainsSubstring("Cleanup script failed: unknown Custom executor"));
}

TEST_CASE("a driver whose child keeps the pipe is waited for until the pipe closes") {
  FakeDriver driver;
  driver.on("run",
            "if [ $stage = build_script ]; then (read -r x < $HOME/fifo; echo late) & fi; exit 0");
  REQUIRE(::system(("mkfifo " + driver.program("fifo")).c_str()) == 0);
  driver.on("cleanup", "exit 0");
  // The reader of the FIFO is freed from outside: the run stage cannot end before.
  std::ofstream fifo;
  std::thread opener([&] {
    fifo.open(driver.program("fifo"));
    fifo << "go\n" << std::flush;
  });
  CHECK(driver.play().state == JobState::success);
  opener.join();
  CHECK_THAT(driver.observer.out, ContainsSubstring("late"));
}
