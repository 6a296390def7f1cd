#pragma once

#include "executor/environments/file_ledger.hpp"
#include "executor/environments/project_ledger.hpp"
#include "tests/contract/job_fixture.hpp"

#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace berth::tests {

/// A runner's host whose settings may have a section `environments`, and jobs that deploy.
class Site {
 public:
  /// `section`: lines below `environments:`; nothing: the settings have none.
  explicit Site(const std::string& section) {
    if (section.empty()) return;
    std::ofstream(folder() / "berth.yaml", std::ios::app)
        << "environments:\n  events: {file: " << events().native() << "}\n"
        << section;
  }

  local::runner::Payload job(std::vector<std::string> script,
                             const std::string& environment = "production",
                             const std::string& action = "start") const {
    local::runner::Payload payload = JobFixture::job(std::move(script));
    payload.job_info.project_full_path = "shop/web";
    payload.job_info.pipeline_id = 40;
    add(payload, "CI_ENVIRONMENT_NAME", environment);
    add(payload, "CI_ENVIRONMENT_ACTION", action);
    add(payload, "GITLAB_USER_LOGIN", "release-bot");
    add(payload, "CI_JOB_URL", "https://gitlab/" + std::to_string(payload.id));
    return payload;
  }

  static void add(local::runner::Payload& payload, const std::string& key,
                  const std::string& value) {
    local::runner::Variable variable;
    variable.key = key;
    variable.value = value;
    payload.variables.push_back(std::move(variable));
  }

  /// As the project sees it.
  std::shared_ptr<environments::Ledger> ledger(const std::string& project = "shop/web") const {
    return environments::of_project(environments::make_file_ledger({.root = root()}), project);
  }
  std::vector<environments::Deployment> history(
      const std::string& environment = "production") const {
    return ledger()->history(environment, 0);
  }
  std::filesystem::path root() const { return folder() / "state" / "environments"; }
  std::filesystem::path events() const { return folder() / "events"; }
  /// "started", "succeeded", ..., in order.
  std::vector<std::string> told() const {
    std::vector<std::string> all;
    std::ifstream file(events());
    for (std::string line; std::getline(file, line);) {
      const std::size_t begin = line.find(R"("event":")") + 9;
      all.push_back(line.substr(begin, line.find('"', begin) - begin));
    }
    return all;
  }
  const std::filesystem::path& folder() const { return fixture.folder(); }

  JobFixture fixture;
};

}  // namespace berth::tests
