#include "cli/local/pipeline/arrange.hpp"
#include "cli/local/pipeline/fields.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace berth::local::pipeline {
namespace {

class Checker {
 public:
  Checker(const std::vector<JobWords>& jobs, const std::vector<std::string>& stages,
          Problems& problems)
      : m_jobs(jobs), m_stages(stages), m_problems(problems) {
    for (const JobWords& words : jobs) m_by_name.emplace(words.job.name, &words);
  }

  void run() {
    for (const JobWords& words : m_jobs) {
      check_stage(words);
      if (words.needs) {
        for (const NeedEntry& entry : *words.needs) {
          check_relation(words, "needs", entry.need.job, entry.place, entry.need.optional);
        }
      }
      if (words.dependencies) {
        for (const Named& name : *words.dependencies) {
          check_relation(words, "depends on", name.name, name.place, false);
        }
      }
      check_on_stop(words);
    }
  }

 private:
  std::ptrdiff_t stage_index(const JobWords& words) const {
    return std::find(m_stages.begin(), m_stages.end(), words.job.stage) - m_stages.begin();
  }
  bool stage_known(const JobWords& words) const {
    return stage_index(words) < static_cast<std::ptrdiff_t>(m_stages.size());
  }

  const JobWords* find(const std::string& name) const {
    const auto found = m_by_name.find(name);
    return found == m_by_name.end() ? nullptr : found->second;
  }

  void check_stage(const JobWords& words) {
    if (stage_known(words)) return;
    m_problems.add(words.stage_place,
                   fmt::format("the stage `{}` of `{}` does not exist; there are {}",
                               words.job.stage, words.job.name, fmt::join(m_stages, ", ")));
  }

  std::string unknown_job(std::string text, const std::string& name) const {
    std::vector<std::string_view> candidates;
    for (const JobWords& words : m_jobs) candidates.push_back(words.job.name);
    if (const auto near = nearest(name, candidates); !near.empty()) {
      text += fmt::format("; did you mean `{}`?", near);
    }
    return text;
  }

  void check_relation(const JobWords& words, std::string_view verb, const std::string& name,
                      const Place& place, bool optional) {
    const JobWords* other = find(name);
    if (other == nullptr) {
      if (optional) return;
      m_problems.add(place, unknown_job(fmt::format("`{}` {} `{}`, which does not exist",
                                                    words.job.name, verb, name),
                                        name));
      return;
    }
    if (!stage_known(words) || !stage_known(*other)) return;
    if (stage_index(*other) > stage_index(words)) {
      m_problems.add(place,
                     fmt::format("`{}` {} `{}`, which is in a later stage (`{}` comes after `{}`)",
                                 words.job.name, verb, name, other->job.stage, words.job.stage));
    }
  }

  void check_on_stop(const JobWords& words) {
    if (!words.job.environment || words.job.environment->on_stop.empty()) return;
    const Environment& environment = *words.job.environment;
    const JobWords* other = find(environment.on_stop);
    const auto report = [&](const std::string& what) {
      m_problems.add(words.environment_place,
                     fmt::format("the `on_stop` job `{}` of `{}` {}", environment.on_stop,
                                 words.job.name, what));
    };
    if (other == nullptr) return report(unknown_job("does not exist", environment.on_stop));
    if (!other->job.environment) return report("has no environment");
    if (other->job.environment->name != environment.name) return report("has another environment");
    if (other->job.environment->action != "stop") report("must have `action: stop`");
  }

  const std::vector<JobWords>& m_jobs;
  const std::vector<std::string>& m_stages;
  Problems& m_problems;
  std::map<std::string, const JobWords*, std::less<>> m_by_name;
};

}  // namespace

std::vector<std::string> read_stages(const Value& root, Problems& problems) {
  std::vector<std::string> stages{"build", "test", "deploy"};
  if (const auto written = strings_field(root, "stages", problems)) stages = *written;
  std::vector<std::string> all{".pre"};
  for (const std::string& stage : stages) {
    const bool edge = stage == ".pre" || stage == ".post";
    // A name that stands twice counts where it stands first (stages.uniq).
    if (!edge && std::find(all.begin(), all.end(), stage) == all.end()) all.push_back(stage);
  }
  all.emplace_back(".post");
  return all;
}

void check_relations(const std::vector<JobWords>& jobs, const std::vector<std::string>& stages,
                     Problems& problems) {
  Checker(jobs, stages, problems).run();
}

}  // namespace berth::local::pipeline
