#include "cli/local/pipeline/read_job.hpp"

#include "cli/local/pipeline/fields.hpp"
#include "cli/local/pipeline/merge.hpp"
#include "cli/local/pipeline/pattern.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

namespace berth::local::pipeline {
namespace {

constexpr std::array<std::string_view, 24> k_job{
    "extends",       "stage",     "script",        "before_script", "after_script",   "image",
    "services",      "variables", "only",          "except",        "rules",          "when",
    "allow_failure", "needs",     "dependencies",  "artifacts",     "cache",          "environment",
    "retry",         "timeout",   "interruptible", "tags",          "resource_group", "coverage"};
constexpr std::array<std::string_view, 15> k_job_unsupported{"trigger",
                                                             "parallel",
                                                             "inherit",
                                                             "release",
                                                             "secrets",
                                                             "id_tokens",
                                                             "identity",
                                                             "hooks",
                                                             "pages",
                                                             "start_in",
                                                             "run",
                                                             "inputs",
                                                             "publish",
                                                             "manual_confirmation",
                                                             "dast_configuration"};
constexpr std::array<std::string_view, 4> k_when{"on_success", "on_failure", "always", "manual"};
constexpr std::size_t k_max_name = 255;
constexpr std::size_t k_max_tags = 50;
/// Project::MAX_BUILD_TIMEOUT, a month.
constexpr std::chrono::seconds k_max_timeout{30 * 86400};

class Reader {
 public:
  Reader(const Entry& entry, const Defaults& defaults, const Context& context, Problems& problems)
      : m_name(entry.key),
        m_map(*entry.value),
        m_defaults(defaults),
        m_context(context),
        m_problems(problems) {
    m_words.place = entry.place;
  }

  JobWords run() {
    Job& job = m_words.job;
    job.name = m_name;
    job.position = m_words.place.position();
    check_keys(m_map, {"a job", k_job, k_job_unsupported}, m_problems);
    check_name();
    read_scripts();
    if (const Entry* image = own_or_default("image")) job.image = read_image(*image, m_problems);
    if (const Entry* all = own_or_default("services"))
      job.services = read_services(*all, m_problems);
    if (const Entry* all = own("variables")) {
      job.variables = read_variables(*all, VariableForm::job, m_problems);
    }
    read_plain();
    if (const Entry* entry = own_or_default("artifacts")) {
      job.artifacts = read_artifacts(*entry, m_problems);
    }
    if (const Entry* entry = own_or_default("cache")) {
      job.cache = read_caches(*entry, m_context, m_problems);
    }
    if (const Entry* entry = own_or_default("retry")) job.retry = read_retry(*entry, m_problems);
    if (const Entry* entry = own("environment")) {
      job.environment = read_environment(*entry, m_problems);
      m_words.environment_place = entry->place;
    }
    read_order();
    read_conditions();
    return std::move(m_words);
  }

 private:
  const Entry* own(std::string_view key) const { return present_entry(m_map, key); }

  /// The job's own entry, else that of `default`.
  const Entry* own_or_default(std::string_view key) const {
    if (const Entry* entry = own(key)) return entry;
    const auto found = m_defaults.find(key);
    return found == m_defaults.end() ? nullptr : &found->second;
  }

  /// A map with nothing but that entry, for the readers of fields.
  static Value alone(const Entry& entry) {
    Value map;
    map.kind = Value::Kind::map;
    map.place = entry.place;
    map.entries.push_back(entry);
    return map;
  }

  template <typename T>
  std::optional<T> inherited(std::string_view key,
                             std::optional<T> (*field)(const Value&, std::string_view, Problems&)) {
    const Entry* entry = own_or_default(key);
    if (entry == nullptr) return std::nullopt;
    return field(alone(*entry), key, m_problems);
  }

  void check_name() {
    if (m_name.empty()) m_problems.add(m_words.place, "a job needs a name");
    if (m_name.size() > k_max_name) {
      m_problems.add(m_words.place,
                     fmt::format("a job's name is longer than {} characters", k_max_name));
    }
  }

  void read_scripts() {
    Job& job = m_words.job;
    const auto before = inherited("before_script", script_field);
    const auto script = script_field(m_map, "script", m_problems);
    const bool empty = script && std::all_of(script->begin(), script->end(),
                                             [](const auto& line) { return line.empty(); });
    if (own("script") == nullptr) {
      report_no_script();
    } else if (empty) {
      m_problems.add(own("script")->value->place,
                     fmt::format("the script of `{}` is empty", m_name));
    }
    if (before) job.script = *before;
    if (script) job.script.insert(job.script.end(), script->begin(), script->end());
    job.after_script = inherited("after_script", script_field).value_or(std::vector<std::string>{});
  }

  void report_no_script() {
    // Those are refused by name already.
    if (m_map.find("trigger") != nullptr || m_map.find("run") != nullptr) return;
    static constexpr std::array<std::string_view, 9> k_top{
        "default", "include",       "stages",       "variables", "workflow",
        "image",   "before_script", "after_script", "services"};
    std::string text = fmt::format("the job `{}` has no `script`", m_name);
    if (const auto near = nearest(m_name, k_top); !near.empty()) {
      text += fmt::format("; did you mean the keyword `{}`?", near);
    }
    m_problems.add(m_words.place, std::move(text));
  }

  void read_plain() {
    Job& job = m_words.job;
    job.interruptible = inherited("interruptible", boolean_field).value_or(false);
    job.timeout = inherited("timeout", duration_field);
    if (job.timeout && *job.timeout > k_max_timeout) {
      m_problems.add(own_or_default("timeout")->value->place, "`timeout` is longer than a month");
    }
    job.tags = inherited("tags", strings_field).value_or(std::vector<std::string>{});
    if (job.tags.size() > k_max_tags) {
      m_problems.add(own_or_default("tags")->value->place,
                     fmt::format("a job takes {} tags at most", k_max_tags));
    }
    job.resource_group = string_field(m_map, "resource_group", m_problems).value_or("");
    if (const auto text = string_field(m_map, "coverage", m_problems)) read_coverage(*text);
  }

  void read_coverage(const std::string& text) {
    std::string error;
    const Place& place = own("coverage")->value->place;
    if (!looks_like_pattern(text)) {
      m_problems.add(place, "`coverage` must be a regular expression between slashes: /.../");
    } else if (!Pattern::parse(text, error)) {
      m_problems.add(place, fmt::format("`coverage` is no regular expression of RE2: {}", error));
    } else {
      m_words.job.coverage = text.substr(1, text.find_last_of('/') - 1);
    }
  }

  void read_order() {
    m_words.job.stage = string_field(m_map, "stage", m_problems).value_or("test");
    m_words.stage_place = own("stage") != nullptr ? own("stage")->value->place : m_words.place;
    if (const Entry* needs = own("needs")) m_words.needs = read_needs(*needs, m_problems);
    const Entry* entry = own("dependencies");
    if (entry == nullptr || !strings_field(m_map, "dependencies", m_problems)) return;
    m_words.dependencies.emplace();
    for (const ValuePtr& item : entry->value->items) {
      m_words.dependencies->push_back({item->text, item->place});
      if (m_words.needs && !m_words.needs->empty() && !needed(item->text)) {
        m_problems.add(item->place,
                       fmt::format("the dependency `{}` must be part of `needs`", item->text));
      }
    }
  }

  bool needed(const std::string& job) const {
    return std::any_of(m_words.needs->begin(), m_words.needs->end(),
                       [&](const NeedEntry& entry) { return entry.need.job == job; });
  }

  void read_conditions() {
    if (const Entry* when = own("when"); when != nullptr && when->value->text == "delayed") {
      m_problems.add(when->value->place, "`when: delayed` is not supported by berth local yet");
    } else if (const auto word = choice_field(m_map, "when", k_when, m_problems)) {
      m_words.when = when_of(*word);
    }
    if (const Entry* entry = own("allow_failure")) {
      m_words.allow_failure = read_allow_failure(*entry, m_problems);
    }
    if (const Entry* rules = own("rules")) m_words.rules = read_rules(*rules, m_problems);
    for (const std::string_view key : {"only", "except"}) {
      const Entry* entry = own(key);
      if (entry == nullptr) continue;
      if (m_words.rules) {
        m_problems.add(entry->place, fmt::format("`{}` may not be used with `rules`", key));
      } else if (key == "only") {
        m_words.only = read_refs(*entry, m_problems);
      } else {
        m_words.except = read_refs(*entry, m_problems);
      }
    }
  }

  const std::string& m_name;
  const Value& m_map;
  const Defaults& m_defaults;
  const Context& m_context;
  Problems& m_problems;
  JobWords m_words;
};

}  // namespace

bool is_visible_job(const Entry& entry) {
  return !is_reserved(entry.key) && (entry.key.empty() || entry.key.front() != '.');
}

JobWords read_job(const Entry& entry, const Defaults& defaults, const Context& context,
                  Problems& problems) {
  return Reader(entry, defaults, context, problems).run();
}

}  // namespace berth::local::pipeline
