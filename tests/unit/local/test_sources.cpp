#include "tests/support/catch.hpp"
#include "tests/unit/local/script_fixture.hpp"

using namespace berth::local::runner;
using berth::tests::ScriptedJob;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("GIT_STRATEGY=clone starts afresh each time, fetch keeps the checkout") {
  const std::string shell = GENERATE("bash", "busybox sh");
  CAPTURE(shell);
  ScriptedJob job(shell);
  job.use(job.make_repository("app"));
  job.script({"cat app.txt", "git rev-parse HEAD", "touch untracked"});
  SECTION("clone") {
    job.variable("GIT_STRATEGY", "clone");
    for (int run = 0; run < 2; ++run) {
      CHECK(job.again().state == JobState::success);
      CHECK(contains(job.observer.out, "Created fresh repository."));
    }
  }
  SECTION("fetch") {
    job.variable("GIT_STRATEGY", "fetch");
    CHECK(job.play().state == JobState::success);
    CHECK(contains(job.observer.out, "Created fresh repository."));
    CHECK(contains(job.observer.out, "Fetching changes..."));
    std::ofstream(job.project_dir() / ".git/index.lock") << "";
    std::ofstream(job.project_dir() / ".git/hooks-planted") << "";
    job.script({"[ ! -e untracked ]"});
    CHECK(job.again().state == JobState::success);
    CHECK(contains(job.observer.out, "Reinitialized existing Git repository"));
    CHECK(contains(job.observer.out, "Removing untracked"));
  }
  SECTION("fetch with clean_git_config off") {
    job.config.clean_git_config = false;
    CHECK(job.play().state == JobState::success);
    job.script({"git config include.path"});
    CHECK(job.again().state == JobState::success);
    CHECK_FALSE(contains(job.observer.out, "Created fresh repository."));
    CHECK(contains(job.observer.out, ".gitlab-runner.ext.conf\n"));
  }
  SECTION("GIT_CLEAN_FLAGS=none keeps what is not tracked") {
    job.variable("GIT_CLEAN_FLAGS", "none");
    CHECK(job.play().state == JobState::success);
    job.script({"[ -e untracked ]"});
    CHECK(job.again().state == JobState::success);
  }
  SECTION("allow_git_fetch=false makes clone the default") {
    job.payload.allow_git_fetch = false;
    job.play();
    job.again();
    CHECK(contains(job.observer.out, "Created fresh repository."));
  }
}

TEST_CASE("another branch is checked out over a kept checkout") {
  ScriptedJob job;
  const auto repository = job.make_repository("app");
  job.use(repository);
  job.script({"[ ! -e new.txt ]"});
  REQUIRE(job.play().state == JobState::success);
  job.sh(repository,
         "git checkout -qb feature; echo x > new.txt; git add .; git commit -qm second");
  job.use(repository, "feature");
  job.script({"cat new.txt"});
  CHECK(job.again().state == JobState::success);
  CHECK(contains(job.observer.out, "as detached HEAD (ref is feature)..."));
}

TEST_CASE("a depth makes a shallow clone, and no depth the whole history") {
  ScriptedJob job;
  const auto repository = job.make_repository("app");
  job.sh(repository, "git commit -qm second --allow-empty");
  job.use(repository);
  // git ignores --depth for a path, not for file://.
  job.payload.git_info.repo_url = "file://" + repository.string();
  job.payload.git_info.depth = 1;
  job.script({"git rev-list --count HEAD"});
  CHECK(job.play().state == JobState::success);
  CHECK(contains(job.observer.out, "Fetching changes with git depth set to 1..."));
  CHECK(contains(job.observer.out, "\n1\n"));
  job.payload.git_info.depth = 0;
  CHECK(job.again().state == JobState::success);
  CHECK(contains(job.observer.out, "\n2\n"));
}

TEST_CASE("GIT_CHECKOUT=false fetches only") {
  ScriptedJob job;
  job.use(job.make_repository("app"));
  job.variable("GIT_CHECKOUT", "false");
  job.script({"[ ! -e app.txt ]"});
  CHECK(job.play().state == JobState::success);
  CHECK(contains(job.observer.out, "Skipping Git checkout"));
}

TEST_CASE("GIT_STRATEGY none and empty need no git") {
  ScriptedJob job;
  job.payload.git_info.repo_url = "/nowhere";
  job.variable("GIT_SUBMODULE_STRATEGY", "recursive");
  std::filesystem::create_directories(job.project_dir());
  std::ofstream(job.project_dir() / "kept") << "";
  SECTION("none") {
    job.variable("GIT_STRATEGY", "none");
    job.script({"[ -e kept ]"});
    CHECK(job.play().state == JobState::success);
    CHECK(contains(job.observer.out, "Skipping Git repository setup\033"));
  }
  SECTION("empty") {
    job.variable("GIT_STRATEGY", "empty");
    job.script({"[ -z \"$(ls)\" ]", "pwd"});
    CHECK(job.play().state == JobState::success);
    CHECK(contains(job.observer.out,
                   "Skipping Git repository setup and creating an empty build directory"));
    CHECK(contains(job.observer.out, job.project_dir().string() + "-empty\n"));
  }
  CHECK(contains(job.observer.out, "Skipping Git checkout"));
  CHECK(contains(job.observer.out, "Skipping Git submodules setup"));
}

TEST_CASE("submodules are fetched as far as asked") {
  const std::string shell = GENERATE("bash", "busybox sh");
  CAPTURE(shell);
  ScriptedJob job(shell);
  const auto inner = job.make_repository("inner");
  const auto middle = job.make_repository("middle");
  job.sh(middle, "git submodule --quiet add " + inner.string() + " inner; git commit -qm sub");
  const auto outer = job.make_repository("outer");
  job.sh(outer, "git submodule --quiet add " + middle.string() + " middle; git commit -qm sub");
  job.use(outer);
  SECTION("none") {
    job.script({"[ ! -e middle/middle.txt ]"});
    CHECK(job.play().state == JobState::success);
    CHECK(contains(job.observer.out, "Skipping Git submodules setup"));
  }
  SECTION("normal") {
    job.variable("GIT_SUBMODULE_STRATEGY", "normal");
    job.script({"cat middle/middle.txt", "[ ! -e middle/inner/inner.txt ]"});
    CHECK(job.play().state == JobState::success);
    CHECK(contains(job.observer.out, "Updating/initializing submodules..."));
    CHECK(contains(job.observer.out, "Updated submodules"));
  }
  SECTION("recursive, twice on a kept checkout") {
    job.variable("GIT_SUBMODULE_STRATEGY", "recursive");
    job.script({"cat middle/inner/inner.txt", "touch middle/inner/dirt"});
    CHECK(job.play().state == JobState::success);
    CHECK(contains(job.observer.out, "Updating/initializing submodules recursively..."));
    job.script({"[ ! -e middle/inner/dirt ]"});
    CHECK(job.again().state == JobState::success);
  }
  SECTION("only the paths that are named") {
    job.variable("GIT_SUBMODULE_STRATEGY", "normal");
    job.variable("GIT_SUBMODULE_PATHS", ":(exclude)middle");
    job.script({"[ ! -e middle/middle.txt ]"});
    CHECK(job.play().state == JobState::success);
  }
}

TEST_CASE("a worktree that cannot be fetched is cleared before the second attempt") {
  ScriptedJob job;
  job.use(job.make_repository("app"));
  REQUIRE(job.play().state == JobState::success);
  job.variable("GET_SOURCES_ATTEMPTS", "2");
  job.payload.git_info.sha = std::string(40, '1');
  CHECK(job.again().failure_reason == "script_failure");
  CHECK(contains(job.observer.out, "Deleting tracked and untracked files..."));
}

TEST_CASE("hooks of runner and job surround the sources, except for none") {
  ScriptedJob job;
  job.use(job.make_repository("app"));
  job.config.pre_get_sources_script = "echo runner-before";
  job.config.post_get_sources_script = "echo runner-after";
  job.payload.hooks = {{.name = "pre_get_sources_script", .script = {"echo job-before"}},
                       {.name = "post_get_sources_script", .script = {"echo job-after"}}};
  CHECK(job.play().state == JobState::success);
  const std::string& out = job.observer.out;
  CHECK(out.find("\nrunner-before\n") < out.find("\njob-before\n"));
  CHECK(out.find("\njob-before\n") < out.find("Fetching changes"));
  CHECK(out.find("Checking out") < out.find("\njob-after\n"));
  CHECK(out.find("\njob-after\n") < out.find("\nrunner-after\n"));
  job.variable("GIT_STRATEGY", "none");
  job.again();
  CHECK_FALSE(contains(job.observer.out, "before"));
}

TEST_CASE("FF_ENABLE_JOB_CLEANUP leaves a clean directory behind") {
  ScriptedJob job;
  job.use(job.make_repository("app"));
  job.variable("FF_ENABLE_JOB_CLEANUP", "true");
  job.script({"touch dirt", "echo changed > app.txt"});
  SECTION("fetch") {
    job.variable("GIT_STRATEGY", "fetch");
    CHECK(job.play().state == JobState::success);
    CHECK(contains(job.observer.out, "Removing dirt"));
    CHECK(job.sh(job.project_dir(), "cat app.txt") == "app\n");
  }
  SECTION("clone") {
    job.variable("GIT_STRATEGY", "clone");
    CHECK(job.play().state == JobState::success);
    CHECK_FALSE(std::filesystem::exists(job.project_dir()));
  }
}

TEST_CASE("GIT_CLONE_PATH needs the runner's permission and stays below builds_dir") {
  ScriptedJob job;
  job.use(job.make_repository("app"));
  job.variable("GIT_CLONE_PATH", "$CI_BUILDS_DIR/here");
  SECTION("refused by default") {
    CHECK(job.play().failure_reason == "runner_configuration_error");
  }
  SECTION("allowed") {
    job.config.custom_build_dir = true;
    job.script({"pwd"});
    CHECK(job.play().state == JobState::success);
    CHECK(contains(job.observer.out, (job.dir.path() / "builds/here").string() + "\n"));
  }
  SECTION("not outside") {
    job.config.custom_build_dir = true;
    job.variable("GIT_CLONE_PATH", "$CI_BUILDS_DIR/../out");
    CHECK(job.play().failure_reason == "runner_configuration_error");
  }
}

TEST_CASE("no credential lies in the checkout") {
  ScriptedJob job;
  job.use(job.make_repository("app"));
  // insteadOf sends git to the local repository in place of the server.
  job.config.url = "http://runner.example";
  job.payload.git_info.repo_url =
      "file://gitlab-ci-token:job-token@localhost" + (job.dir.path() / "app").string();
  job.script({"cat .git/config"});
  job.play();
  CHECK_FALSE(contains(job.observer.out, "job-token"));
}
