#include "cli/local/pipeline/arrange.hpp"
#include "cli/local/pipeline/fields.hpp"
#include "cli/local/pipeline/include.hpp"
#include "cli/local/pipeline/merge.hpp"
#include "cli/local/pipeline/read_job.hpp"
#include "cli/local/pipeline/select.hpp"
#include "cli/local/pipeline/yaml_reader.hpp"

#include <fmt/core.h>

#include <array>
#include <utility>

namespace berth::local::pipeline {
namespace {

/// The file with everything it draws in: includes, then extends, then references,
/// in GitLab's order (Gitlab::Ci::Config#build_config).
ValuePtr compose(const Source& source, const Context& context, Problems& problems) {
  ValuePtr root = read_yaml(source.file, source.text, problems);
  problems.check();
  root = resolve_includes(root, source.file, context, problems);
  problems.check();
  root = resolve_extends(root, problems);
  problems.check();
  root = resolve_references(root, problems);
  problems.check();
  return root;
}

void refuse_unsupported(const Value& root, Problems& problems) {
  for (const std::string_view key : {"workflow", "spec"}) {
    if (const Entry* entry = root.find(key)) {
      problems.add(entry->place, fmt::format("`{}` is not supported by berth local yet", key));
    }
  }
}

void report_no_job(const Entry& entry, Problems& problems) {
  static constexpr std::array<std::string_view, 9> k_keywords{
      "default", "include",       "stages",       "variables", "image",
      "cache",   "before_script", "after_script", "services"};
  std::string text = fmt::format("unknown keyword `{}`: a job would be a map, this is {}",
                                 entry.key, kind_name(*entry.value));
  if (const auto near = nearest(entry.key, k_keywords); !near.empty()) {
    text += fmt::format("; did you mean `{}`?", near);
  }
  problems.add(entry.place, std::move(text));
}

std::vector<JobWords> read_jobs(const Value& root, const Context& context, Problems& problems) {
  const Defaults defaults = read_defaults(root, problems);
  std::vector<JobWords> jobs;
  for (const Entry& entry : root.entries) {
    if (!is_visible_job(entry)) continue;
    if (entry.value->is(Value::Kind::map)) {
      jobs.push_back(read_job(entry, defaults, context, problems));
    } else {
      report_no_job(entry, problems);
    }
  }
  if (jobs.empty() && problems.empty()) problems.add(root.place, "there is no job in the file");
  return jobs;
}

}  // namespace

Pipeline load(const Source& source, const Context& context) {
  Problems problems;
  const ValuePtr root = compose(source, context, problems);
  refuse_unsupported(*root, problems);
  const std::vector<std::string> stages = read_stages(*root, problems);
  std::vector<core::Variable> global;
  if (const Entry* entry = present_entry(*root, "variables")) {
    global = read_variables(*entry, VariableForm::global, problems);
  }
  std::vector<JobWords> jobs = read_jobs(*root, context, problems);
  check_relations(jobs, stages, problems);
  problems.check();

  std::vector<JobWords> taking_part;
  for (JobWords& words : jobs) {
    if (select(words, global, context, problems)) taking_part.push_back(std::move(words));
  }
  problems.check();
  Pipeline pipeline = arrange(std::move(taking_part), stages, root->place, problems);
  problems.check();
  pipeline.warnings = problems.take_warnings();
  return pipeline;
}

}  // namespace berth::local::pipeline
