// What is wrong with a file is said with its place, and with what was meant.
#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

using namespace berth;

namespace {

struct Row {
  const char* text;
  const char* expected;
};

/// Words of a job, in the map that starts at column 7 of line 1.
const Row k_job_rows[] = {
    {"wehn: manual", "18: unknown key `wehn` in a job; did you mean `when`?"},
    {"frobnicate: 1", "18: unknown key `frobnicate` in a job"},
    {"trigger: x", "18: `trigger` of a job is not supported by berth local yet"},
    {"parallel: 3", "18: `parallel` of a job is not supported by berth local yet"},
    {"inherit: {default: false}", "18: `inherit` of a job is not supported by berth local yet"},
    {"secrets: {}", "18: `secrets` of a job is not supported by berth local yet"},
    {"when: never",
     "24: `when` must be one of on_success, on_failure, always, manual, not `never`"},
    {"when: delayed", "24: `when: delayed` is not supported by berth local yet"},
    {"when: 3", "24: `when` must be a string, not an integer: quote it"},
    {"stage: biuld",
     "25: the stage `biuld` of `job` does not exist; there are .pre, build, test, "
     "deploy, .post"},
    {"image: 3", "25: an image must be a name or a map, not an integer"},
    {"image: {entrypoint: ['']}", "25: an image has no `name`"},
    {"image: {name: x, ports: [80]}", "35: `ports` of `image` is not supported by berth local yet"},
    {"image: {name: x, entrypoint: sh}",
     "47: `entrypoint` must be a list of strings, not a string"},
    {"image: {name: x, pull_policy: sometimes}",
     "48: `pull_policy` must be one of always, never, if-not-present, not `sometimes`"},
    {"image: {name: ' '}", "25: an image has an empty name"},
    {"services: postgres", "28: `services` must be a list of services, not a string"},
    {"services: [{name: x, allias: y}]",
     "39: unknown key `allias` in a service; did you mean `alias`?"},
    {"services: [{name: x, variables: {A: {value: b}}}]",
     "54: `A` must be a plain value here, not a map"},
    {"variables: [A]", "29: `variables` must be a map of variables, not a list"},
    {"variables: {A: }",
     "33: the variable `A` must be a plain value, not null; for an empty one "
     "write \"\""},
    {"variables: {A: [1]}", "33: the variable `A` must be a plain value, not a list"},
    {"variables: {A: {value: x, description: y}}",
     "44: unknown key `description` in a job's variable"},
    {"before_script: [1]",
     "34: a line of `before_script` must be a string, this is an integer: quote it"},
    {"after_script: ['echo', {a: b}]",
     "41: a line of `after_script` must be a string, this is a "
     "map: quote lines that hold `: `"},
    {"allow_failure: maybe",
     "33: `allow_failure` must be true, false or a map with `exit_codes`, not a string"},
    {"allow_failure: {exit_codes: [a]}",
     "47: `exit_codes` must be a list of integers, this element is a string"},
    {"retry: 3", "25: `retry` must be a number from 0 to 2 or a map, not an integer"},
    {"retry: {when: runner_failure}", "32: `runner_failure` is no failure that `retry:when` knows"},
    {"timeout: 3600", "27: `timeout` must be a string, not an integer: quote it"},
    {"timeout: a while",
     "27: `timeout`: `a while` is no time; write it as \"1h 30m\" or \"2 days\""},
    {"timeout: 2 months", "27: `timeout` is longer than a month"},
    {"tags: docker", "24: `tags` must be a list of strings, not a string"},
    {"interruptible: 'yes'", "33: `interruptible` must be true or false, not a string"},
    {"coverage: 100", "28: `coverage` must be a string, not an integer: quote it"},
    {"coverage: abc", "28: `coverage` must be a regular expression between slashes: /.../"},
    {"artifacts: [out]", "29: `artifacts` must be a map, not a list"},
    {"artifacts: {path: [out]}", "30: unknown key `path` in `artifacts`; did you mean `paths`?"},
    {"artifacts: {public: false}",
     "30: `public` of `artifacts` is not supported by berth local yet"},
    {"artifacts: {reports: {sast: x}}",
     "40: `sast` of `artifacts:reports` is not supported by berth local yet"},
    {"artifacts: {when: never}",
     "36: `when` must be one of on_success, on_failure, always, not `never`"},
    {"artifacts: {expire_in: soon}",
     "41: `expire_in`: `soon` is no time; write it as \"1 week\" or \"never\""},
    {"artifacts: {expose_as: x}", "41: `expose_as` needs `paths`"},
    {"cache: {key: a/b, paths: [x]}", "31: the cache key `a/b` cannot contain a slash"},
    {"cache: {key: {files: [a, b, c]}}", "39: `cache:key:files` takes 1 to 2 files"},
    {"cache: {key: {files_commits: [a]}}",
     "32: `files_commits` of `cache:key` is not supported by berth local yet"},
    {"cache: {policy: none}",
     "34: `policy` must be pull-push, push, pull or a variable, not `none`"},
    {"cache: [{}, {}, {}, {}, {}]", "25: a job takes 4 caches at most"},
    {"environment: {url: x}", "31: `environment` has no `name`"},
    {"environment: {name: x, kubernetes: {}}",
     "41: `kubernetes` of `environment` is not supported by berth local yet"},
    {"environment: {name: x, action: destroy}",
     "49: `action` must be one of start, prepare, stop, verify, access, not `destroy`"},
    {"environment: 'a&b'",
     "31: the environment's name `a&b` can contain only letters, digits, -, "
     "_, /, $, {, }, ., and spaces, and no slash at its ends"},
    {"needs: build", "25: `needs` must be a list of jobs, not a string"},
    {"needs: [{project: x, job: y, ref: z}]",
     "27: `project` of `needs` is not supported by berth local yet\n"
     ".gitlab-ci.yml:1:47: `ref` of `needs` is not supported by berth local yet"},
    {"dependencies: build", "32: `dependencies` must be a list of strings, not a string"},
    {"rules: {if: $A}", "25: `rules` must be a list of rules, not a map"},
    {"rules: []", "25: `rules` is empty"},
    {"rules: [{changes: [x]}]", "27: `changes` of a rule is not supported by berth local yet"},
    {"rules: [{exists: [x]}]", "27: `exists` of a rule is not supported by berth local yet"},
    {"rules: [{if: $A = b}]", "31: `if: $A = b`: at its character 4: unexpected `=`"},
    {"rules: [{iff: $A}]", "27: unknown key `iff` in a rule; did you mean `if`?"},
    {"rules: [{if: $A}], only: [main]", "37: `only` may not be used with `rules`"},
    {"only: main", "24: `only` must be a list of refs or a map with `refs`, not a string"},
    {"only: {changes: [x]}", "25: `changes` of `only` is not supported by berth local yet"},
    {"except: [/(/]", "27: `/(/` is no regular expression of RE2: missing ): ("},
    {"resource_group: [x]", "34: `resource_group` must be a string, not a list"},
};

const Row k_file_rows[] = {
    {"job: {stage: test}", "1:1: the job `job` has no `script`"},
    {"variable: {A: b}",
     "1:1: the job `variable` has no `script`; did you mean the keyword `variables`?\n"
     ".gitlab-ci.yml:1:12: unknown key `A` in a job"},
    {"job: {script: []}", "1:15: the script of `job` is empty"},
    {"job: {script: ''}", "1:15: the script of `job` is empty"},
    {"stage: [build]\njob: {script: x}",
     "1:1: unknown keyword `stage`: a job would be a map, this is a list; did you mean "
     "`stages`?"},
    {"job: text", "1:1: unknown keyword `job`: a job would be a map, this is a string"},
    {"workflow: {rules: []}\njob: {script: x}",
     "1:1: `workflow` is not supported by berth local "
     "yet"},
    {"stages: build\njob: {script: x}", "1:9: `stages` must be a list of strings, not a string"},
    {"default: {hooks: {}}\njob: {script: x}",
     "1:11: `hooks` of `default` is not supported by berth local yet"},
    {"default: {script: x}\njob: {script: x}", "1:11: unknown key `script` in `default`"},
    {"default: {image: a}\nimage: b\njob: {script: x}",
     "2:1: `image` stands at the top level and in `default`"},
    {"variables: {A: {value: a, options: [b]}}\njob: {script: x}",
     "1:36: `value` must be one of `options`"},
};

}  // namespace

TEST_CASE("each mistake in a job has its message and place") {
  for (const Row& row : k_job_rows) {
    INFO(row.text);
    CHECK(tests::problems_of("job: {script: x, " + std::string(row.text) + "}") ==
          ".gitlab-ci.yml:1:" + std::string(row.expected));
  }
}

TEST_CASE("each mistake in a file has its message and place") {
  for (const Row& row : k_file_rows) {
    INFO(row.text);
    CHECK(tests::problems_of(row.text) == ".gitlab-ci.yml:" + std::string(row.expected));
  }
}

TEST_CASE("all mistakes of a file are shown at once, in its order") {
  CHECK(tests::problems_of("b: {script: x, tag: [a]}\na:\n  script: x\n  timeout: never\n") ==
        ".gitlab-ci.yml:1:16: unknown key `tag` in a job; did you mean `tags`?\n"
        ".gitlab-ci.yml:4:12: `timeout`: `never` is no time; write it as \"1h 30m\" or \"2 days\"");
}

TEST_CASE("a mistake in a template is shown once, where it stands") {
  CHECK(tests::problems_of(".t: &t {script: x, retry: 9}\na: {<<: *t}\nb: {extends: .t}") ==
        ".gitlab-ci.yml:1:27: `retry` must be a number from 0 to 2 or a map, not an integer");
}

TEST_CASE("global keywords of old go into jobs") {
  const auto pipeline = tests::load_text(
      "image: a\nbefore_script: [b]\nafter_script: [c]\nservices: [d]\ncache: {paths: [e]}\n"
      "job: {script: [x]}");
  const auto& job = tests::job_of(pipeline, "job");
  CHECK(job.image->name == "a");
  CHECK(job.script == std::vector<std::string>{"b", "x"});
  CHECK(job.after_script == std::vector<std::string>{"c"});
  CHECK(job.services.at(0).name == "d");
  CHECK(job.cache.at(0).paths == std::vector<std::string>{"e"});
}
