#include "cli/local/pipeline/arrange.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

namespace berth::local::pipeline {
namespace {

class Arranger {
 public:
  Arranger(std::vector<JobWords> jobs, const std::vector<std::string>& stages, Problems& problems)
      : m_jobs(std::move(jobs)), m_stages(stages), m_problems(problems) {
    std::stable_sort(m_jobs.begin(), m_jobs.end(), [this](const auto& a, const auto& b) {
      return stage_index(a.job) < stage_index(b.job);
    });
    for (std::size_t i = 0; i < m_jobs.size(); ++i) m_index.emplace(m_jobs[i].job.name, i);
  }

  Pipeline run(const Place& file) {
    check_any_job(file);
    for (JobWords& words : m_jobs) resolve_needs(words);
    for (JobWords& words : m_jobs) resolve_artifacts(words);
    check_circles();
    Pipeline pipeline;
    for (JobWords& words : m_jobs) {
      if (pipeline.stages.empty() || pipeline.stages.back() != words.job.stage) {
        pipeline.stages.push_back(words.job.stage);
      }
      pipeline.jobs.push_back(std::move(words.job));
    }
    return pipeline;
  }

 private:
  std::ptrdiff_t stage_index(const Job& job) const {
    return std::find(m_stages.begin(), m_stages.end(), job.stage) - m_stages.begin();
  }

  void check_any_job(const Place& file) {
    const bool any = std::any_of(m_jobs.begin(), m_jobs.end(), [](const JobWords& words) {
      return words.job.stage != ".pre" && words.job.stage != ".post";
    });
    if (any) return;
    m_problems.add(file,
                   m_jobs.empty()
                       ? "no job takes part in this pipeline: look at rules, only and except"
                       : "only jobs of .pre and .post take part, so GitLab makes no pipeline");
  }

  void resolve_needs(JobWords& words) {
    if (!words.needs) return;
    words.job.needs.emplace();
    for (const NeedEntry& entry : *words.needs) {
      if (m_index.count(entry.need.job) != 0) {
        words.job.needs->push_back(entry.need);
      } else if (!entry.need.optional) {
        m_problems.add(entry.place,
                       fmt::format("`{}` needs `{}`, which rules, only or except leave out of this "
                                   "pipeline; `optional: true` allows for that",
                                   words.job.name, entry.need.job));
      }
    }
  }

  bool gets_artifacts_of(const JobWords& words, const Job& other) const {
    if (words.dependencies &&
        std::none_of(words.dependencies->begin(), words.dependencies->end(),
                     [&](const Named& name) { return name.name == other.name; })) {
      return false;
    }
    if (!words.job.needs) return stage_index(other) < stage_index(words.job);
    return std::any_of(words.job.needs->begin(), words.job.needs->end(),
                       [&](const Need& need) { return need.job == other.name && need.artifacts; });
  }

  void resolve_artifacts(JobWords& words) {
    for (const JobWords& other : m_jobs) {
      if (gets_artifacts_of(words, other.job)) words.job.artifacts_from.push_back(other.job.name);
    }
  }

  /// Takes away, again and again, jobs whose needs are all taken away. What is
  /// left needs itself.
  void check_circles() {
    std::vector<bool> done(m_jobs.size(), false);
    for (bool progress = true; progress;) {
      progress = false;
      for (std::size_t i = 0; i < m_jobs.size(); ++i) {
        if (done[i] || !ready(m_jobs[i].job, done)) continue;
        done[i] = progress = true;
      }
    }
    for (std::size_t i = 0; i < m_jobs.size(); ++i) {
      if (done[i]) continue;
      m_problems.add(m_jobs[i].needs->front().place,
                     fmt::format("`{}` needs itself, by way of `{}`", m_jobs[i].job.name,
                                 m_jobs[i].job.needs->front().job));
    }
  }

  bool ready(const Job& job, const std::vector<bool>& done) const {
    return !job.needs || std::all_of(job.needs->begin(), job.needs->end(),
                                     [&](const Need& need) { return done[m_index.at(need.job)]; });
  }

  std::vector<JobWords> m_jobs;
  const std::vector<std::string>& m_stages;
  Problems& m_problems;
  std::map<std::string, std::size_t> m_index;
};

}  // namespace

Pipeline arrange(std::vector<JobWords> jobs, const std::vector<std::string>& stages,
                 const Place& file, Problems& problems) {
  return Arranger(std::move(jobs), stages, problems).run(file);
}

}  // namespace berth::local::pipeline
