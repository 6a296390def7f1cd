#pragma once

#include "cli/local/runner/play.hpp"
#include "tests/support/temp_dir.hpp"

#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <sstream>

namespace berth::tests {

/// Keeps everything a job's play tells.
class RecordingObserver final : public local::runner::Observer {
 public:
  void section_begin(std::string_view stage, std::string_view) override {
    sections.emplace_back(stage);
  }
  void section_end(std::string_view) override {}
  void output(local::runner::Program, std::string_view stage, local::runner::Stream stream,
              std::string_view bytes) override {
    (stream == local::runner::Stream::out ? out : err).append(bytes);
    if (on_output) on_output(stage, bytes);
  }
  void note(local::runner::NoteLevel, std::string_view text) override {
    notes += std::string(text) + "\n";
  }
  void call_ended(const local::runner::CallRecord&) override {}

  std::vector<std::string> sections;
  std::string out;
  std::string err;
  std::string notes;
  std::function<void(std::string_view stage, std::string_view bytes)> on_output;
};

/// A driver made of shell scripts, and a runner configured with it. Each program
/// appends its name, and berth-run its stage, to `calls`, keeps its environment
/// as env.<number>, and then does what the test gave it.
class FakeDriver {
 public:
  FakeDriver() {
    for (const char* name : {"config", "prepare", "run", "cleanup"}) on(name, "exit 0");
    config.builds_dir = (dir.path() / "builds").string();
    config.cache_dir = (dir.path() / "cache").string();
    config.temp_root = dir.path() / "tmp";
    std::filesystem::create_directory(config.temp_root);
    config.process_environment = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                  "HOME=" + dir.path().string(), "TMPDIR=/must/be/overridden"};
    config.custom.config.program = program("config");
    config.custom.prepare.program = program("prepare");
    config.custom.run.program = program("run");
    config.custom.cleanup.program = program("cleanup");
    config.custom.run.arguments = {"--flag"};
    config.timing.preparation_retry = std::chrono::milliseconds{1};
    config.timing.stage_retry_min = std::chrono::milliseconds{1};
    payload.id = 77;
    payload.token = "job-token";
    payload.job_info = {.name = "unit",
                        .stage = "test",
                        .pipeline_id = 5,
                        .project_id = 9,
                        .project_name = "project",
                        .project_full_path = "group/project"};
    payload.git_info.repo_url = "https://gitlab-ci-token:job-token@git.example/group/project.git";
    payload.git_info.sha = "0123456789abcdef0123456789abcdef01234567";
    payload.git_info.ref = "main";
    payload.steps = {{.name = "script", .script = {"true"}}};
  }

  /// What one of the programs does, in bash; $1... are its arguments, $stage the
  /// last of them.
  void on(const std::string& name, const std::string& body) {
    const auto path = dir.path() / name;
    std::ofstream(path) << "#!/bin/bash\nstage=\"${*: -1}\"\n"
                        << "echo \"" << name << " ${stage##*/}\" >> "
                        << (dir.path() / "calls").string() << "\n"
                        << "n=$(wc -l < " << (dir.path() / "calls").string() << ")\n"
                        << "env -0 > " << dir.path().string() << "/env.$n\n"
                        << body << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  std::string program(const std::string& name) const { return (dir.path() / name).string(); }

  local::runner::JobResult play() {
    return local::runner::play(config, payload, control, observer);
  }

  /// Lines "config", "prepare", "run get_sources", ...
  std::vector<std::string> calls() const {
    std::ifstream file(dir.path() / "calls");
    std::vector<std::string> result;
    for (std::string line; std::getline(file, line);) {
      const auto blank = line.find(' ');
      result.push_back(line.starts_with("run ") ? line : line.substr(0, blank));
    }
    return result;
  }

  /// The environment of the n-th call (from 1).
  std::map<std::string, std::string> environment(int call) const {
    std::ifstream file(dir.path() / ("env." + std::to_string(call)));
    std::map<std::string, std::string> result;
    for (std::string entry; std::getline(file, entry, '\0');) {
      result[entry.substr(0, entry.find('='))] = entry.substr(entry.find('=') + 1);
    }
    return result;
  }

  std::string file(const std::string& name) const {
    std::ifstream stream(dir.path() / name);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  void variable(std::string key, std::string value) {
    payload.variables.push_back(
        {.key = std::move(key), .value = std::move(value), .is_public = true});
  }

  TempDir dir;
  local::runner::RunnerConfig config;
  local::runner::Payload payload;
  local::runner::Control control;
  RecordingObserver observer;
};

}  // namespace berth::tests
