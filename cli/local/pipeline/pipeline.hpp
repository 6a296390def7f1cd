#pragma once

#include "executor/core/job.hpp"
#include "executor/support/error.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// From the text of a .gitlab-ci.yml to the jobs GitLab would make of it. Pure:
/// files, variables and git facts come in through Context. Runs nothing.
/// What each keyword means: https://docs.gitlab.com/ci/yaml/
namespace berth::local::pipeline {

/// Where a word stands. Lines and columns start at 1; 0 where it is unknown.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
  bool operator==(const Position&) const = default;
};

/// on_success | on_failure | always | manual. (`never` has left the job out.)
enum class When { on_success, on_failure, always, manual };

std::string_view to_string(When when);

/// `needs:` of jobs of the same pipeline that exist (an optional need whose job
/// does not is dropped).
struct Need {
  std::string job;
  bool artifacts = true;
  bool optional = false;
  bool operator==(const Need&) const = default;
};

/// `artifacts:`. In a job's payload this becomes several entries: `archive`/zip
/// where paths or untracked are set, with name, exclude, when, expire_in; and
/// `junit`/gzip and `dotenv`/gzip, each `when: always` with the same expire_in.
struct Artifacts {
  std::string name;
  std::vector<std::string> paths;
  std::vector<std::string> exclude;
  bool untracked = false;
  /// on_success | on_failure | always; never empty.
  std::string when = "on_success";
  /// The words as written ("1 week"); empty where none.
  std::string expire_in;
  std::string expose_as;
  std::vector<std::string> junit;
  std::vector<std::string> dotenv;
  bool operator==(const Artifacts&) const = default;
};

/// One entry of `cache:` as it stands in a job's payload.
struct Cache {
  /// Variables in it are left to the runner. A key of files is worked out; the
  /// suffix that parts protected refs (-protected, -non_protected) is there.
  std::string key;
  std::vector<std::string> fallback_keys;
  std::vector<std::string> paths;
  bool untracked = false;
  /// pull-push | pull | push, or a text with a variable for the runner.
  std::string policy = "pull-push";
  /// on_success | on_failure | always
  std::string when = "on_success";
  bool operator==(const Cache&) const = default;
};

struct Environment {
  std::string name;  ///< as written, with its variables
  std::string url;   ///< as written
  /// start | prepare | stop | verify | access
  std::string action = "start";
  std::string on_stop;
  std::string auto_stop_in;
  std::string deployment_tier;
  bool operator==(const Environment&) const = default;
};

struct Retry {
  int max = 0;
  /// GitLab's names: always, script_failure, runner_system_failure, ...
  std::vector<std::string> when;
  std::vector<int> exit_codes;
  bool operator==(const Retry&) const = default;
};

struct Job {
  std::string name;
  std::string stage;
  Position position;
  /// Absent: the runner's default image.
  std::optional<core::Image> image;
  std::vector<core::Image> services;

  /// The YAML's own variables: global, job and matching rule, merged in that
  /// order, not yet expanded. In the payload they come after `predefined` and
  /// before dotenv, project and pipeline variables (which win).
  std::vector<core::Variable> variables;
  /// What GitLab predefines from the job's words: CI_JOB_NAME, CI_JOB_STAGE,
  /// CI_ENVIRONMENT_NAME, ... The one who runs the job adds ids, URLs, tokens.
  std::vector<core::Variable> predefined;

  /// Lines of the payload's step `script`: before_script, then script.
  std::vector<std::string> script;
  /// Lines of the step `after_script` (no such step where empty).
  std::vector<std::string> after_script;

  When when = When::on_success;
  bool allow_failure = false;
  /// The job may fail, but only with these codes.
  std::vector<int> allow_failure_exit_codes;

  /// Absent: the job waits for every job of earlier stages. Empty: for none.
  std::optional<std::vector<Need>> needs;
  /// Jobs whose artifacts it gets (from needs, dependencies or earlier stages),
  /// in the pipeline's order. Jobs that end without artifacts stand here too.
  std::vector<std::string> artifacts_from;

  std::optional<Artifacts> artifacts;
  std::vector<Cache> cache;
  std::optional<Environment> environment;
  Retry retry;
  std::optional<std::chrono::seconds> timeout;
  bool interruptible = false;
  std::vector<std::string> tags;
  /// Jobs of one group run one after the other. As written, with variables.
  std::string resource_group;
  /// The regular expression between its slashes, as written; empty where none.
  std::string coverage;
};

struct Pipeline {
  /// In order, `.pre` and `.post` only where a job stands in them; stages
  /// without a job are left out.
  std::vector<std::string> stages;
  /// By stage, then in the order of the file. Never empty.
  std::vector<Job> jobs;
  /// `file:line:column: what`, for the reader: the pipeline runs all the same.
  std::vector<std::string> warnings;
};

struct Source {
  /// As shown in messages and compared with `include:local`: ".gitlab-ci.yml".
  std::string file;
  std::string text;
};

/// The world a pipeline is made in.
struct Context {
  /// Lowest precedence: the CI_* of pipeline, commit and project.
  std::vector<core::Variable> predefined;
  /// Above the YAML's: project, group and instance variables.
  std::vector<core::Variable> project;
  /// Above all: those of a manual run, a schedule, a trigger or the API.
  std::vector<core::Variable> pipeline;

  /// Branch or tag name, without refs/.
  std::string ref;
  bool tag = false;
  bool ref_protected = false;
  /// CI_PIPELINE_SOURCE: push, web, schedule, api, ...
  std::string source = "push";
  /// group/name, for `only: branches@group/name`.
  std::string project_path;

  /// Every file of the commit, path from the root without a leading slash.
  std::function<std::vector<std::string>()> list_files;
  /// Content of such a file; nothing where there is none.
  std::function<std::optional<std::string>(const std::string& path)> read_file;
  /// Id of such a file's blob (`git rev-parse HEAD:path`), for cache:key:files;
  /// "" where there is none.
  std::function<std::string(const std::string& path)> blob_id_of;
};

struct Problem {
  Position position;
  std::string text;
  bool operator==(const Problem&) const = default;
};

/// The file is not a pipeline. what() holds a line `file:line:column: text` per
/// problem, in the order of the text.
class InvalidPipeline : public support::JobError {
 public:
  explicit InvalidPipeline(std::vector<Problem> problems);
  const std::vector<Problem>& problems() const noexcept { return m_problems; }

 private:
  std::vector<Problem> m_problems;
};

/// Reads, merges, checks and resolves. Throws InvalidPipeline, also where no job
/// is left to run. Calls the functions of `context` only during the call.
Pipeline load(const Source& source, const Context& context);

}  // namespace berth::local::pipeline
