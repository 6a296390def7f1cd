#include "tests/unit/pipeline/loaded.hpp"

#include "cli/local/pipeline/digest.hpp"

#include <stdexcept>
#include <utility>

namespace berth::tests {

using namespace local::pipeline;

core::Variable variable(std::string key, std::string value) {
  core::Variable result;
  result.key = std::move(key);
  result.value = std::move(value);
  return result;
}

Context context_of(Files files) {
  Context context;
  context.ref = "main";
  context.project_path = "group/project";
  context.predefined = {variable("CI", "true"), variable("CI_COMMIT_REF_NAME", "main"),
                        variable("CI_COMMIT_BRANCH", "main")};
  context.list_files = [files] {
    std::vector<std::string> paths;
    for (const auto& [path, text] : files) paths.push_back(path);
    return paths;
  };
  context.read_file = [files](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
  context.blob_id_of = [files](const std::string& path) {
    const auto found = files.find(path);
    if (found == files.end()) return std::string{};
    const std::string& text = found->second;
    return sha1_hex("blob " + std::to_string(text.size()) + std::string(1, '\0') + text);
  };
  return context;
}

Pipeline load_text(const std::string& text, Files files) {
  return load({".gitlab-ci.yml", text}, context_of(std::move(files)));
}

std::string problems_of(const std::string& text, Files files) {
  try {
    load_text(text, std::move(files));
    return "";
  } catch (const InvalidPipeline& error) {
    return error.what();
  }
}

const Job& job_of(const Pipeline& pipeline, const std::string& name) {
  for (const Job& job : pipeline.jobs) {
    if (job.name == name) return job;
  }
  throw std::runtime_error("no job " + name);
}

std::vector<std::string> names_of(const Pipeline& pipeline) {
  std::vector<std::string> names;
  for (const Job& job : pipeline.jobs) names.push_back(job.name);
  return names;
}

std::string value_in(const std::vector<core::Variable>& variables, const std::string& key) {
  std::string value = "<none>";
  for (const core::Variable& each : variables) {
    if (each.key == key) value = each.value;
  }
  return value;
}

}  // namespace berth::tests
