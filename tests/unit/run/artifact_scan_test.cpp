#include "stages/artifact_scan.hpp"

#include "executor/agentlink/stage_request.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <set>

using namespace berth;
using namespace berth::tests;
using stages::ArtifactPatterns;
using stages::is_uploaded;

namespace {

/// What a shell makes of it.
std::set<std::string> printed(const char* shell, const std::string& script) {
  const TempDir temp;
  const auto file = temp.path() / "script";
  std::ofstream(file) << script;
  FILE* pipe = ::popen((std::string(shell) + " < '" + file.string() + "'").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe))
    text.append(part.data(), got);
  REQUIRE(::pclose(pipe) == 0);
  std::set<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.insert(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

class Warnings final : public support::Console {
 public:
  void line(std::string_view) override {}
  void warning(std::string_view text) override { texts.emplace_back(text); }
  std::vector<std::string> texts;
};

}  // namespace

TEST_CASE("artifacts are patterns, directories, and not what is excluded", "[scan]") {
  const ArtifactPatterns patterns{.paths = {"dist", "*.log", "a/**/*.txt"},
                                  .exclude = {"dist/secret/**"}};
  for (const char* file : {"dist/x", "dist/a/b/c", "x.log", "a/b/c/d.txt", "a/d.txt"})
    CHECK(is_uploaded(patterns, file));
  for (const char* file : {"distant", "b/x.log", "a/b/c", "dist/secret/x", "src/dist"})
    CHECK_FALSE(is_uploaded(patterns, file));
  CHECK(is_uploaded({.paths = {"**"}}, "any/file"));
  CHECK_FALSE(is_uploaded({}, "any/file"));
}

TEST_CASE("the script finds the texts below what patterns begin with", "[scan]") {
  const TempDir temp;
  const auto put = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories((temp.path() / name).parent_path());
    std::ofstream(temp.path() / name) << text;
  };
  put("dist/one", "x\nits 'quoted' $TEXT here\n");
  put("dist/sub/two", "s3cr3t-t0ken");
  put("dist/none", "nothing");
  put("src/three", "s3cr3t-t0ken");
  const std::vector<std::string> texts{"'quoted' $TEXT", "s3cr3t-t0ken"};
  for (const char* shell : {"sh", "bash"}) {
    const auto found = [&](const ArtifactPatterns& patterns) {
      return printed(shell, stages::scan_script(temp.path().string(), patterns, texts));
    };
    using Files = std::set<std::string>;
    CHECK(found({.paths = {"dist/**/*"}}) == Files{"dist/one", "dist/sub/two"});
    CHECK(found({.paths = {"dist/one", "missing"}}) == Files{"dist/one"});
    CHECK(found({.paths = {"*.x", "dist"}}) ==
          Files{"./dist/one", "./dist/sub/two", "./src/three"});
    CHECK(found({}).empty());
    CHECK(printed(shell, stages::scan_script("/nowhere", {.paths = {"dist"}}, texts)).empty());
  }
}

TEST_CASE("only uploads are looked through, and only files that they take", "[scan]") {
  core::Sandbox sandbox;
  sandbox.values = {{agentlink::k_value_note, "memory:name"},
                    {agentlink::k_value_scan, "warn"},
                    {agentlink::k_value_scan_paths, "$OUT/\n"},
                    {agentlink::k_value_scan_exclude, "dist/not\n"}};
  gitlab::RunnerEnvironment environment;
  environment.variables = {{"OUT", "/builds/shop/dist"}, {"CI_PROJECT_DIR", "/builds/shop"}};
  Warnings warnings;
  unsigned runs = 0;
  std::string output = "dist/one\ndist/not\nsrc/two\n";
  const auto scan = [&](const char* stage) {
    stages::scan_artifacts(
        sandbox, {core::ScriptStage(stage), "x"}, environment,
        [&](const core::Script& script, core::OutputSink& sink) {
          ++runs;
          CHECK(script.note->name() == "memory:name");
          sink.write(output);
          return core::ExitStatus{};
        },
        warnings);
  };
  scan("build_script");
  CHECK(runs == 0);
  scan("upload_artifacts_on_failure");
  CHECK(runs == 1);
  REQUIRE(warnings.texts.size() == 1);
  CHECK_THAT(warnings.texts[0], ContainsSubstring("'dist/one'"));
  sandbox.values[agentlink::k_value_scan] = "fail";
  CHECK_THROWS_AS(scan("upload_artifacts_on_success"), support::JobError);
  output = "src/two\n";
  CHECK_NOTHROW(scan("upload_artifacts_on_success"));
  sandbox.values.erase(agentlink::k_value_scan);
  scan("upload_artifacts_on_success");
  CHECK(runs == 3);
}
