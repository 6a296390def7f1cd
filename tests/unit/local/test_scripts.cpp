#include "cli/local/runner/script_writer.hpp"
#include "cli/local/runner/stage_scripts.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/local/script_fixture.hpp"

using namespace berth::local::runner;
using berth::tests::ScriptedJob;

namespace {

/// The body of a stage's script: its shape lets bash itself take the quotes off.
std::string body_of(const ScriptedJob& job, std::string script) {
  const auto eval = script.find("; eval ");
  REQUIRE(eval != std::string::npos);
  script.replace(eval, 7, "; printf '%s' ");
  std::ofstream(job.dir.path() / "body") << script;
  return job.sh(job.dir.path(), "bash body");
}

BuildContext context_of(ScriptedJob& job) {
  BuildContext context(job.config, job.payload);
  context.set_directories("/builds", "/cache", false);
  return context;
}

void keep_only_payload_variables(std::string& body) {
  // The runner's own exports are long and tested elsewhere.
  std::string kept;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("export FF_") || line.starts_with("export CI_")) continue;
    kept += line + "\n";
  }
  body = kept;
}

}  // namespace

TEST_CASE("every stage's script, as text") {
  ScriptedJob job;
  job.config.url = "http://runner.example:8080";
  job.config.feature_flags = {{"FF_USE_GITALY_CORRELATION_ID", false}};
  job.payload.git_info.repo_url = "http://gitlab-ci-token:secret@git.example/group/polls.git";
  job.payload.git_info.depth = 20;
  job.payload.git_info.refspecs = {"+refs/heads/main:refs/remotes/origin/main"};
  job.payload.variables = {{.key = "PLAIN", .value = "it's $HOME"},
                           {.key = "CERT", .value = "-----\nx", .file = true},
                           {.key = "GIT_SUBMODULE_STRATEGY", .value = "recursive"}};
  job.payload.steps = {{.name = "script", .script = {"make", "if true; then\n  make test\nfi"}},
                       {.name = "after_script", .script = {"echo bye"}}};
  job.payload.cache = {{.key = "gems-$PLAIN", .paths = {"vendor/"}, .fallback_keys = {"gems"}}};
  job.payload.artifacts = {
      {.name = "out", .paths = {"out/**"}, .exclude = {"out/tmp"}, .expire_in = "1 week"},
      {.paths = {"junit.xml"}, .when = "always", .type = "junit", .format = "gzip"}};
  job.payload.dependencies = {
      {.id = 4, .token = "dep-token", .name = "build", .filename = "artifacts.zip"}};
  job.payload.hooks = {{.name = "pre_get_sources_script", .script = {"echo before"}}};
  const BuildContext context = context_of(job);
  for (const char* stage :
       {"prepare_script", "get_sources", "clear_worktree", "restore_cache", "download_artifacts",
        "step_script", "after_script", "archive_cache", "upload_artifacts_on_success",
        "upload_artifacts_on_failure", "cleanup_file_variables"}) {
    const auto script = stage_script(stage, context);
    REQUIRE(script);
    std::string body = body_of(job, *script);
    keep_only_payload_variables(body);
    berth::tests::check_golden(std::string("local/scripts/") + stage, body);
  }
}

TEST_CASE("a script with sections reads as the runner writes it") {
  // shells/abstract.go, writeMultilineCommand: the section holds the command alone,
  // folded; its output comes behind the end mark. One-line commands get none.
  ScriptedJob job;
  job.payload.trace_sections = GENERATE(true, false);
  job.payload.steps = {{.name = "script", .script = {"make", " a=1\nmake \"$a\" \n"}},
                       {.name = "after_script", .script = {"true\nfalse"}}};
  job.payload.variables = {{.key = "FF_SCRIPT_SECTIONS", .value = GENERATE("true", "false")}};
  const bool sections = job.payload.trace_sections && job.payload.variables.front().value == "true";
  const BuildContext context = context_of(job);
  const std::string now = "$(awk 'BEGIN{srand(); print srand()}')";
  const auto marks = [&](const std::string& name, const std::string& command) {
    return "printf '%b\\n' section_start:" + now + ":section_" + name +
           "[hide_duration=true,collapsed=true]\r\033[0K$'\\x1b[32;1m$ " + command +
           "\\x1b[0;m'\nprintf '%b\\n' section_end:" + now + ":section_" + name + "\r\033[0K\n";
  };
  const auto collapsed = [](const std::string& first) {
    return "echo $'\\x1b[32;1m$ " + first + " # collapsed multi-line command\\x1b[0;m'\n";
  };
  const std::string script = body_of(job, stage_script("step_script", context).value());
  CHECK_THAT(script,
             EndsWith("echo $'\\x1b[32;1m$ make\\x1b[0;m'\nmake\n" +
                      (sections ? marks("script_step_1", "a=1\\nmake \"$a\"") : collapsed("a=1")) +
                      "a=1\nmake \"$a\"\n"));
  const std::string after = body_of(job, stage_script("after_script", context).value());
  CHECK_THAT(after, EndsWith((sections ? marks("after_script_step_0", "true\\nfalse")
                                       : collapsed("true")) +
                             "true\nfalse\n"));
}

TEST_CASE("the frame around a script") {
  ScriptWriter out({.shell = "sh", .trace = true});
  out.run({"echo", "a b"});
  CHECK(out.finish() ==
        "#!/usr/bin/env sh\n\ntrap 'exit 1' TERM\n\nset -o xtrace\n"
        "case \"$(set -o)\" in *\"pipefail\"*) set -o pipefail;; esac; set -o errexit\n"
        "set +o noclobber\n(trap 'exit 1' TERM; eval $'echo $\\'a b\\'\\n') < /dev/null\nexit 0\n");
  ScriptWriter legacy({.check_exit_codes = true, .legacy_eval = true});
  legacy.run({"true"});
  CHECK_THAT(legacy.finish(), ContainsSubstring(": | eval $'true\\n_runner_exit_code=$?; if ["));
}

TEST_CASE("any value survives quoting in bash and BusyBox") {
  const std::string shell = GENERATE("bash", "busybox sh");
  const bool posix = GENERATE(false, true);
  CAPTURE(shell, posix);
  ScriptedJob job(shell);
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::vector<std::string> values{
      all, "", "plain", "it's", "a;b~{c}", "$HOME `id` $(id) \\n", "\n\n", "-n", "!x", "\xC3\xA9"};
  std::string line = "printf '%s\\0'";
  for (const std::string& value : values)
    line += " " + (posix ? quote_posix(value) : quote_ansi(value));
  std::ofstream(job.dir.path() / "quoting") << line << "\n";
  const std::string got = job.sh(job.dir.path(), shell + " quoting");
  std::string expected;
  for (const std::string& value : values) expected += value + std::string(1, '\0');
  CHECK(got == expected);
}

TEST_CASE("a stage whose variables make no sense is a system failure") {
  ScriptedJob job;
  job.variable("GIT_SUBMODULE_STRATEGY", "sometimes");
  const JobResult result = job.play();
  CHECK(result.failure_reason == "runner_system_failure");
  CHECK(result.message == "unknown GIT_SUBMODULE_STRATEGY");
}

TEST_CASE("the user's lines are announced, run in one shell, and fail with their own code") {
  const std::string shell = GENERATE("bash", "busybox sh");
  CAPTURE(shell);
  ScriptedJob job(shell);
  job.variable("GIT_STRATEGY", "none");
  SECTION("announced") {
    job.script({"A=1", "echo a=$A", "if true; then\n  echo inner\nfi", ""});
    CHECK(job.play().state == JobState::success);
    CHECK_THAT(job.observer.out, ContainsSubstring("\033[32;1m$ A=1\033[0;m\n"));
    CHECK_THAT(
        job.observer.out,
        ContainsSubstring("$ if true; then # collapsed multi-line command\033[0;m\ninner\n"));
    CHECK_THAT(job.observer.out, ContainsSubstring("a=1\n"));
  }
  SECTION("fails") {
    job.script({"(exit 7)", "echo not reached"});
    const JobResult result = job.play();
    CHECK(result.exit_code == 7);
    CHECK(result.failure_reason == "script_failure");
    CHECK(job.observer.out.find("not reached\n") == std::string::npos);
  }
  SECTION("a pipe fails with its first part") {
    job.script({"(exit 9) | cat"});
    CHECK(job.play().exit_code == 9);
  }
  SECTION("FF_ENABLE_BASH_EXIT_CODE_CHECK") {
    job.variable("FF_ENABLE_BASH_EXIT_CODE_CHECK", "true");
    job.script({"(exit 8) || (exit 8)", "echo no"});
    CHECK(job.play().exit_code == 8);
  }
  SECTION("standard input is at its end") {
    const std::string legacy = GENERATE("false", "true");
    job.variable("FF_USE_LEGACY_BASH_EVAL", legacy);
    job.script({"if read -r line; then echo got; else echo eof; fi"});
    CHECK(job.play().state == JobState::success);
    CHECK_THAT(job.observer.out, ContainsSubstring("eof\n"));
  }
  SECTION("CI_DEBUG_TRACE") {
    const std::string on = GENERATE("true", "false");
    job.variable("CI_DEBUG_TRACE", on);
    job.script({"echo traced"});
    job.play();
    CHECK((job.observer.err.find("+ echo traced") != std::string::npos) == (on == "true"));
  }
  SECTION("sections for lines of several lines") {
    job.variable("FF_SCRIPT_SECTIONS", "true");
    job.payload.trace_sections = true;
    job.script({"echo one", "echo two\necho three"});
    job.play();
    CHECK_THAT(
        job.observer.out,
        ContainsSubstring(":section_script_step_1[hide_duration=true,collapsed=true]\r\033[0K"));
    CHECK_THAT(job.observer.out, ContainsSubstring("three\n"));
  }
}

TEST_CASE("variables reach the script as GitLab means them") {
  const std::string shell = GENERATE("bash", "busybox sh");
  CAPTURE(shell);
  ScriptedJob job(shell);
  job.variable("GIT_STRATEGY", "none");
  job.payload.variables.push_back({.key = "RAW", .value = "$VARIABLE$WITH$DOLLARS$$", .raw = true});
  job.payload.variables.push_back(
      {.key = "MY_FILE_VARIABLE", .value = "line 1\nline 2", .file = true});
  job.variable("EXPANDED", "${MY_FILE_VARIABLE}_X");
  job.script({"echo \"raw=$RAW\"", "echo \"expanded=$EXPANDED\"", "cat $MY_FILE_VARIABLE",
              "echo 'FROM_SCRIPT=$(id) and more' >> $GITLAB_ENV"});
  job.payload.steps.push_back({.name = "after_script", .script = {"echo \"passed=$FROM_SCRIPT\""}});
  CHECK(job.play().state == JobState::success);
  // The sources' address has a host, so the directory is the project's path.
  const std::string of_project = (job.dir.path() / "builds/group/project.tmp").string();
  CHECK_THAT(job.observer.out, ContainsSubstring("raw=$VARIABLE$WITH$DOLLARS$$\n"));
  CHECK_THAT(job.observer.out,
             ContainsSubstring("expanded=" + of_project + "/MY_FILE_VARIABLE_X\n"));
  CHECK_THAT(job.observer.out, ContainsSubstring("line 1\nline 2"));
  CHECK_THAT(job.observer.out, ContainsSubstring("passed=$(id) and more\n"));
  CHECK_FALSE(std::filesystem::exists(of_project + "/MY_FILE_VARIABLE"));
  CHECK_FALSE(std::filesystem::exists(of_project + "/gitlab_runner_env"));

  SECTION("GITLAB_ENV of one job is not seen by the next") {
    std::ofstream(of_project + "/gitlab_runner_env") << "FROM_SCRIPT=left over\n";
    job.script({"echo \"again=$FROM_SCRIPT.\""});
    job.again();
    CHECK_THAT(job.observer.out, ContainsSubstring("again=.\n"));
  }
  SECTION("file variables go after a failed script too") {
    job.script({"false"});
    job.again();
    CHECK_FALSE(std::filesystem::exists(of_project + "/MY_FILE_VARIABLE"));
  }
}

TEST_CASE("without gitlab-runner on the PATH the job succeeds with a warning") {
  ScriptedJob job;
  job.variable("GIT_STRATEGY", "none");
  job.config.url = "http://runner.example";
  job.payload.cache = {{.key = "k", .paths = {"v"}}};
  job.payload.artifacts = {{.paths = {"out"}}};
  job.payload.dependencies = {{.id = 1, .token = "t", .name = "a", .filename = "artifacts.zip"}};
  CHECK(job.play().state == JobState::success);
  for (const char* action :
       {"Extracting cache", "Artifacts downloading", "Creating cache", "Uploading artifacts"}) {
    CHECK_THAT(job.observer.out, ContainsSubstring(std::string("Missing gitlab-runner. ") + action +
                                                   " is disabled."));
  }
}

TEST_CASE("the helper's commands get the runner's flags") {
  ScriptedJob job;
  job.variable("GIT_STRATEGY", "none");
  job.config.url = "http://runner.example";
  job.payload.cache = {{.key = "a/../b c", .paths = {"v", "w"}}};
  job.payload.artifacts = {{.name = "n",
                            .untracked = true,
                            .paths = {"out/*"},
                            .exclude = {"x"},
                            .expire_in = "2 days"}};
  job.payload.dependencies = {{.id = 6, .token = "dep", .name = "a", .filename = "artifacts.zip"}};
  job.install_tool();
  CHECK(job.play().state == JobState::success);
  const std::string temp = (job.dir.path() / "builds/group/project.tmp").string();
  const std::string cache = "../../../cache/group/project/";
  const std::string digest =
      job.sh(job.dir.path(), "printf 'b c' | sha256sum | cut -c1-64 | tr -d '\\n'");
  const std::string env_file =
      (job.dir.path() / "builds/group/project.tmp/gitlab_runner_cache_env").string();
  CHECK(job.file("tool") ==
        "cache-extractor --file " + cache + "b c/cache.zip --timeout 10\n" +
            "artifacts-downloader --url http://runner.example --token dep --id 6\n" +
            "cache-archiver --file " + cache + "b c/cache.zip --alternate-file " + cache + digest +
            "/cache.zip --timeout 10 --path v --path w --env-file " + env_file + "\n" +
            "artifacts-uploader --url http://runner.example --token job-token --id 77 --timeout "
            "1h0m0s "
            "--response-header-timeout 10m0s --path out/* --exclude x --untracked --name n "
            "--expire-in 2 days --artifact-format zip --artifact-type archive\n");
  CHECK_FALSE(std::filesystem::exists(env_file));
}

TEST_CASE("caches follow policy, when and fallback keys") {
  ScriptedJob job;
  job.variable("GIT_STRATEGY", "none");
  job.install_tool("[ \"$1\" = cache-extractor ] && exit 1; exit 0");
  job.payload.cache = {
      {.key = "pulled", .policy = "pull", .paths = {"v"}},
      {.key = "pushed", .policy = "$POLICY", .paths = {"v"}},
      {.key = "late", .paths = {"v"}, .when = "on_failure", .fallback_keys = {"second", "$THIRD"}},
      {.key = "nothing"}};
  job.variable("POLICY", "push");
  job.variable("THIRD", "third");
  job.variable("CACHE_FALLBACK_KEY", "last");
  CHECK(job.play().state == JobState::success);
  std::string tool = job.file("tool");
  CHECK_THAT(tool, ContainsSubstring("/pulled/cache.zip"));
  CHECK(tool.find("cache-extractor --file ../../../cache/group/project/pushed/") ==
        std::string::npos);
  for (const char* key : {"late", "second", "third", "last"}) {
    CHECK_THAT(
        tool, ContainsSubstring(
                  std::string("cache-extractor --file ../../../cache/group/project/") + key + "/"));
  }
  CHECK_THAT(tool, ContainsSubstring("cache-archiver --file ../../../cache/group/project/pushed/"));
  CHECK(tool.find("cache-archiver --file ../../../cache/group/project/late/") == std::string::npos);
  CHECK_THAT(job.observer.out, ContainsSubstring("Not downloading cache pushed due to policy"));
  CHECK_THAT(job.observer.out, ContainsSubstring("Not uploading cache pulled due to policy"));
  CHECK_THAT(job.observer.out, ContainsSubstring("Failed to extract cache"));

  SECTION("a protected fallback is refused") {
    job.variable("CACHE_FALLBACK_KEY", "x-protected");
    job.again();
    CHECK_THAT(job.observer.out,
               ContainsSubstring(
                   "CACHE_FALLBACK_KEY \"x-protected\" not allowed to end in \"-protected\""));
  }
  SECTION("an unknown policy is a system failure") {
    job.variable("POLICY", "sideways");
    CHECK(job.again().message == "unknown cache policy sideways for pushed");
  }
  SECTION("hashed keys") {
    job.variable("FF_HASH_CACHE_KEYS", "true");
    job.again();
    const std::string digest =
        job.sh(job.dir.path(), "printf pulled | sha256sum | cut -c1-64 | tr -d '\\n'");
    CHECK_THAT(job.file("tool"),
               ContainsSubstring("--file ../../../cache/group/project/" + digest + "/cache.zip"));
  }
}

TEST_CASE("a failing artifact download fails the job, a failing upload an otherwise good one") {
  ScriptedJob job;
  job.variable("GIT_STRATEGY", "none");
  job.config.url = "http://runner.example";
  job.payload.artifacts = {{.paths = {"out"}}};
  job.payload.dependencies = {{.id = 6, .token = "dep", .name = "a", .filename = "artifacts.zip"}};
  SECTION("download") {
    job.install_tool("[ $1 = artifacts-downloader ] && exit 1; exit 0");
    CHECK(job.play().state == JobState::failed);
    CHECK(job.file("calls").find("build_script") == std::string::npos);
  }
  SECTION("upload") {
    job.install_tool("[ $1 = artifacts-uploader ] && exit 1; exit 0");
    CHECK(job.play().state == JobState::failed);
  }
}
