#include "cli/local/pipeline/select.hpp"

#include "cli/local/pipeline/environment.hpp"
#include "cli/local/pipeline/expression.hpp"
#include "cli/local/pipeline/pattern.hpp"
#include "cli/local/pipeline/variables.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>

namespace berth::local::pipeline {
namespace {

core::Variable plain(std::string key, std::string value) {
  core::Variable variable;
  variable.key = std::move(key);
  variable.value = std::move(value);
  variable.is_public = true;
  return variable;
}

/// All a job's variables, in the order of precedence, the highest last
/// (Variables::Builder#scoped_variables_for_pipeline_seed).
std::vector<core::Variable> scoped(const Job& job, const Context& context) {
  std::vector<core::Variable> all = job.predefined;
  for (const auto* layer :
       {&context.predefined, &job.variables, &context.project, &context.pipeline}) {
    all.insert(all.end(), layer->begin(), layer->end());
  }
  return all;
}

/// False where variables refer to each other in a circle, which is a problem.
bool check_circle(const Expanded& expanded, const JobWords& words, Problems& problems) {
  if (!expanded.too_long.empty()) {
    problems.add(
        words.place,
        fmt::format("the variable `{}` grows beyond 1 MiB when it is expanded", expanded.too_long));
  }
  if (expanded.circle.empty()) return expanded.too_long.empty();
  problems.add(words.place, fmt::format("variables of `{}` refer to each other in a circle: {}",
                                        words.job.name, fmt::join(expanded.circle, ", ")));
  return false;
}

void add_environment(JobWords& words, const Context& context) {
  Job& job = words.job;
  if (!job.environment) return;
  const Environment& environment = *job.environment;
  const core::Variables known(sort_and_expand_here(scoped(job, context)).variables);
  const std::string name = expand(environment.name, known);
  job.predefined.push_back(plain("CI_ENVIRONMENT_NAME", name));
  job.predefined.push_back(plain("CI_ENVIRONMENT_SLUG", environment_slug(name)));
  job.predefined.push_back(plain("CI_ENVIRONMENT_ACTION", environment.action));
  job.predefined.push_back(plain("CI_ENVIRONMENT_TIER", environment.deployment_tier.empty()
                                                            ? guess_tier(name)
                                                            : environment.deployment_tier));
  if (!environment.url.empty()) {
    job.predefined.push_back(plain("CI_ENVIRONMENT_URL", environment.url));
  }
}

void set_predefined(JobWords& words, When when, const Context& context) {
  Job& job = words.job;
  job.predefined = {plain("CI_JOB_NAME", job.name), plain("CI_JOB_NAME_SLUG", slug_of(job.name)),
                    plain("CI_JOB_GROUP_NAME", group_name(job.name)),
                    plain("CI_JOB_STAGE", job.stage), plain("CI_NODE_TOTAL", "1")};
  if (when == When::manual) job.predefined.push_back(plain("CI_JOB_MANUAL", "true"));
  add_environment(words, context);
}

/// The first rule that matches, or none.
const Rule* first_match(const JobWords& words, const core::Variables& known, Problems& problems) {
  for (const Rule& rule : *words.rules) {
    try {
      if (!rule.condition || evaluate(rule.condition->name, known)) return &rule;
    } catch (const InvalidExpression& error) {
      problems.add(rule.condition->place,
                   fmt::format("`if: {}`: {}", rule.condition->name, error.what()));
    }
  }
  return nullptr;
}

bool select_by_rules(JobWords& words, const Context& context, Problems& problems) {
  const core::Variables known(scoped(words.job, context));
  const Rule* rule = first_match(words, known, problems);
  if (rule == nullptr || rule->when == "never") return false;
  Job& job = words.job;
  if (const auto when = when_of(rule->when)) job.when = *when;
  if (rule->allow_failure) {
    // A rule's word drops the exit codes too (Seed::Build).
    job.allow_failure = *rule->allow_failure;
    job.allow_failure_exit_codes.clear();
  }
  job.variables = merge_variables(std::move(job.variables), rule->variables);
  return true;
}

bool select_by_refs(const JobWords& words, const Context& context) {
  const auto matches = [&](const Named& ref) { return ref_matches(ref.name, context); };
  // Policy::DEFAULT_ONLY is in force also where only `except` is given.
  const bool in = words.only ? std::any_of(words.only->begin(), words.only->end(), matches)
                             : ref_matches("branches", context) || ref_matches("tags", context);
  return in && std::none_of(words.except.begin(), words.except.end(), matches);
}

}  // namespace

bool ref_matches(const std::string& word, const Context& context) {
  const std::size_t at = word.find('@');
  const std::string pattern = word.substr(0, at);
  if (at != std::string::npos && word.substr(at + 1) != context.project_path) return false;
  std::string source = context.source;
  const bool merge_request = source == "merge_request_event";
  if (pattern == "tags" && context.tag) return true;
  if (pattern == "branches" && !context.tag && !merge_request) return true;
  if (const std::size_t end = source.find("_event"); end != std::string::npos) source.resize(end);
  const std::string plural = source + (source == "push" ? "es" : "s");
  if (pattern == context.source || pattern == source || pattern == plural) return true;
  std::string error;
  if (const auto regexp = Pattern::parse(pattern, error)) return regexp->matches(context.ref);
  return pattern == context.ref;
}

bool select(JobWords& words, const std::vector<core::Variable>& global, const Context& context,
            Problems& problems) {
  Job& job = words.job;
  job.variables = merge_variables(global, job.variables);
  job.when = words.when.value_or(When::on_success);
  // A manual job may fail unless it says otherwise (Entry::Job#ignored?).
  job.allow_failure = job.when == When::manual;
  if (words.allow_failure) {
    job.allow_failure = words.allow_failure->allowed;
    job.allow_failure_exit_codes = words.allow_failure->exit_codes;
  }
  set_predefined(words, job.when, context);
  if (words.rules ? !select_by_rules(words, context, problems) : !select_by_refs(words, context)) {
    return false;
  }
  set_predefined(words, job.when, context);
  return check_circle(sort_and_expand(scoped(job, context)), words, problems);
}

}  // namespace berth::local::pipeline
