// A .gitlab-ci.yml of anybody's making. Where it is one, its jobs stand in its
// stages and refer to each other; where it is none, every problem has words.

#include "cli/local/pipeline/pipeline.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

using namespace berth::local::pipeline;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

Context world(const std::string& text) {
  Context context;
  context.ref = "main";
  context.project_path = "group/project";
  berth::core::Variable branch;
  branch.key = "CI_COMMIT_BRANCH";
  branch.value = "main";
  context.predefined.push_back(branch);
  context.list_files = [] { return std::vector<std::string>{"a.yml", "b.yml", "lock"}; };
  context.read_file = [text](const std::string& path) -> std::optional<std::string> {
    if (path == "a.yml") return text;
    if (path == "b.yml") return ".b: {script: [b]}\nvariables: {B: b}\n";
    return std::nullopt;
  };
  context.blob_id_of = [](const std::string& path) { return path == "lock" ? "0123" : ""; };
  return context;
}

void check(const Pipeline& pipeline) {
  require(!pipeline.jobs.empty());
  std::set<std::string> names;
  for (const Job& job : pipeline.jobs) require(names.insert(job.name).second);
  for (const Job& job : pipeline.jobs) {
    require(std::find(pipeline.stages.begin(), pipeline.stages.end(), job.stage) !=
            pipeline.stages.end());
    require(!job.script.empty());
    for (const std::string& other : job.artifacts_from) require(names.count(other) == 1);
    if (!job.needs) continue;
    for (const Need& need : *job.needs) require(names.count(need.job) == 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    check(load({".gitlab-ci.yml", text}, world(text)));
  } catch (const InvalidPipeline& error) {
    require(!error.problems().empty());
    for (const Problem& problem : error.problems()) {
      require(!problem.text.empty() && !problem.position.file.empty());
    }
  }
  return 0;
}
