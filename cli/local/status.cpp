#include "cli/local/status.hpp"

#include <algorithm>
#include <initializer_list>

namespace berth::local {
namespace {

/// A job's status, with what its allow_failure makes of it.
enum class Kind {
  created,
  manual,
  running,
  success,
  with_warnings,
  failed,
  canceled,
  skipped,
  ignored
};

Kind kind_of(const JobStatus& job) {
  switch (job.status) {
    case Status::created:
      return Kind::created;
    case Status::running:
      return Kind::running;
    case Status::success:
      return Kind::success;
    case Status::skipped:
      return Kind::skipped;
    case Status::manual:
      return job.allow_failure ? Kind::ignored : Kind::manual;
    case Status::failed:
      return job.allow_failure ? Kind::with_warnings : Kind::failed;
    case Status::canceled:
      return job.allow_failure ? Kind::with_warnings : Kind::canceled;
  }
  return Kind::created;
}

class Jobs {
 public:
  explicit Jobs(std::span<const JobStatus> jobs) : m_jobs(jobs) {}

  bool any_of(std::initializer_list<Kind> kinds) const {
    return std::ranges::any_of(m_jobs, [kinds](const JobStatus& job) {
      return std::ranges::find(kinds, kind_of(job)) != kinds.end();
    });
  }
  bool only_of(std::initializer_list<Kind> kinds) const {
    return std::ranges::all_of(m_jobs, [kinds](const JobStatus& job) {
      return std::ranges::find(kinds, kind_of(job)) != kinds.end();
    });
  }

 private:
  std::span<const JobStatus> m_jobs;
};

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Status::created:
      return "created";
    case Status::manual:
      return "manual";
    case Status::running:
      return "running";
    case Status::success:
      return "success";
    case Status::failed:
      return "failed";
    case Status::canceled:
      return "canceled";
    case Status::skipped:
      return "skipped";
  }
  return "";
}

Status composite(std::span<const JobStatus> all, bool needs) {
  if (all.empty()) return Status::success;
  const Jobs jobs(all);
  // A need that does not run at all takes its job with it.
  if (needs && jobs.any_of({Kind::skipped, Kind::ignored})) return Status::skipped;
  if (needs && jobs.any_of({Kind::created, Kind::running, Kind::manual})) return Status::running;
  if (jobs.only_of({Kind::skipped, Kind::ignored})) return Status::skipped;
  if (jobs.only_of({Kind::success, Kind::skipped, Kind::with_warnings, Kind::ignored}))
    return Status::success;
  if (jobs.only_of(
          {Kind::canceled, Kind::success, Kind::skipped, Kind::with_warnings, Kind::ignored})) {
    return Status::canceled;
  }
  if (jobs.any_of({Kind::running})) return Status::running;
  if (jobs.any_of({Kind::manual})) return Status::manual;
  if (jobs.any_of({Kind::created})) return Status::running;
  return Status::failed;
}

}  // namespace berth::local
