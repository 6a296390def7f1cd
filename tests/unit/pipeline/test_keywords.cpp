// tests/pipelines/keywords/*: each folder's jobs.json says, by GitLab's
// documentation, which jobs its .gitlab-ci.yml makes in which world, and what they are.
#include "tests/support/catch.hpp"
#include "tests/unit/pipeline/loaded.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace berth;
using namespace berth::local::pipeline;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

json to_json(const core::Image& image) {
  json out{{"name", image.name},
           {"alias", image.alias},
           {"pull_policy", image.pull_policy},
           {"docker_user", image.docker_user},
           {"docker_platform", image.docker_platform},
           {"variables", json::object()}};
  out["entrypoint"] = image.entrypoint ? json(*image.entrypoint) : json();
  out["command"] = image.command ? json(*image.command) : json();
  for (const auto& each : image.variables) out["variables"][each.key] = each.value;
  return out;
}

json to_json(const std::vector<core::Variable>& variables) {
  json out = json::object();
  for (const auto& each : variables) {
    out[each.key] = each.raw ? json{{"value", each.value}, {"raw", true}} : json(each.value);
  }
  return out;
}

json to_json(const Artifacts& artifacts) {
  return {{"name", artifacts.name},           {"paths", artifacts.paths},
          {"exclude", artifacts.exclude},     {"untracked", artifacts.untracked},
          {"when", artifacts.when},           {"expire_in", artifacts.expire_in},
          {"expose_as", artifacts.expose_as}, {"junit", artifacts.junit},
          {"dotenv", artifacts.dotenv}};
}

json to_json(const std::vector<Cache>& caches) {
  json out = json::array();
  for (const Cache& cache : caches) {
    out.push_back({{"key", cache.key},
                   {"fallback_keys", cache.fallback_keys},
                   {"paths", cache.paths},
                   {"untracked", cache.untracked},
                   {"policy", cache.policy},
                   {"when", cache.when}});
  }
  return out;
}

json to_json(const Environment& environment) {
  return {{"name", environment.name},
          {"url", environment.url},
          {"action", environment.action},
          {"on_stop", environment.on_stop},
          {"auto_stop_in", environment.auto_stop_in},
          {"deployment_tier", environment.deployment_tier}};
}

json to_json(const Job& job) {
  json out{
      {"name", job.name},
      {"stage", job.stage},
      {"variables", to_json(job.variables)},
      {"predefined", to_json(job.predefined)},
      {"script", job.script},
      {"after_script", job.after_script},
      {"when", to_string(job.when)},
      {"allow_failure", job.allow_failure},
      {"allow_failure_exit_codes", job.allow_failure_exit_codes},
      {"artifacts_from", job.artifacts_from},
      {"cache", to_json(job.cache)},
      {"retry",
       {{"max", job.retry.max}, {"when", job.retry.when}, {"exit_codes", job.retry.exit_codes}}},
      {"interruptible", job.interruptible},
      {"tags", job.tags},
      {"services", json::array()},
      {"needs", nullptr}};
  out["image"] = job.image ? to_json(*job.image) : json();
  for (const auto& service : job.services) out["services"].push_back(to_json(service));
  if (job.needs) {
    out["needs"] = json::array();
    for (const Need& need : *job.needs) {
      out["needs"].push_back({{"job", need.job}, {"artifacts", need.artifacts}});
    }
  }
  out["artifacts"] = job.artifacts ? to_json(*job.artifacts) : json();
  out["environment"] = job.environment ? to_json(*job.environment) : json();
  out["timeout"] = job.timeout ? json(job.timeout->count()) : json();
  return out;
}

/// True where every key of `wanted` is in `found` with that value; maps of
/// variables must be equal, for what should not be there matters too.
bool covers(const json& wanted, const json& found, const std::string& key = {}) {
  if (wanted.is_object() && found.is_object()) {
    if (key == "variables") return wanted == found;
    for (const auto& [name, value] : wanted.items()) {
      if (!found.contains(name) || !covers(value, found.at(name), name)) return false;
    }
    return true;
  }
  if (wanted.is_array() && found.is_array() && wanted.size() == found.size()) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (!covers(wanted[i], found[i], key)) return false;
    }
    return true;
  }
  return wanted == found;
}

Context world(const json& described, const fs::path& folder) {
  tests::Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[fs::relative(entry.path(), folder).string()] = content(entry.path());
    }
  }
  Context context = tests::context_of(std::move(files));
  context.ref = described.value("ref", "main");
  context.tag = described.value("tag", false);
  context.source = described.value("source", "push");
  context.ref_protected = described.value("protected", false);
  context.predefined = {
      tests::variable("CI_COMMIT_REF_NAME", context.ref),
      tests::variable(context.tag ? "CI_COMMIT_TAG" : "CI_COMMIT_BRANCH", context.ref)};
  const json given = described.value("variables", json::object());
  for (const auto& [key, value] : given.items()) {
    context.pipeline.push_back(tests::variable(key, value.get<std::string>()));
  }
  return context;
}

void check(const json& wanted, const Pipeline& found) {
  if (wanted.contains("stages")) CHECK(json(found.stages) == wanted["stages"]);
  std::vector<std::string> names;
  for (const json& job : wanted["jobs"]) names.push_back(job["name"]);
  REQUIRE(tests::names_of(found) == names);
  for (std::size_t i = 0; i < found.jobs.size(); ++i) {
    const json job = to_json(found.jobs[i]);
    INFO("found    " << job.dump(1) << "\nexpected " << wanted["jobs"][i].dump(1));
    CHECK(covers(wanted["jobs"][i], job));
  }
}

}  // namespace

TEST_CASE("each keyword makes the jobs GitLab's documentation promises") {
  const fs::path root = fs::path(BERTH_SOURCE_DIR) / "tests/pipelines/keywords";
  std::size_t count = 0;
  for (const auto& folder : fs::directory_iterator(root)) {
    const json expected = json::parse(content(folder.path() / "jobs.json"));
    for (std::size_t i = 0; i < expected["cases"].size(); ++i) {
      const json& wanted = expected["cases"][i];
      INFO(folder.path().filename().string() << ", case " << i + 1);
      const Context context = world(wanted.value("context", json::object()), folder.path());
      check(wanted, load({".gitlab-ci.yml", content(folder.path() / ".gitlab-ci.yml")}, context));
    }
    ++count;
  }
  CHECK(count == 25);
}

TEST_CASE("what a keyword's documentation does not promise is noticed") {
  CHECK_FALSE(covers(json{{"script", {"a"}}}, json{{"script", {"a", "b"}}}));
  CHECK_FALSE(
      covers(json{{"variables", {{"A", "1"}}}}, json{{"variables", {{"A", "1"}, {"B", "2"}}}}));
  CHECK_FALSE(covers(json{{"when", "manual"}}, json{{"when", "always"}}));
  CHECK(covers(json{{"image", {{"name", "x"}}}}, json{{"image", {{"name", "x"}, {"alias", ""}}}}));
}
