#pragma once

#include "cli/local/runner/child.hpp"
#include "tests/unit/local/play_fixture.hpp"

#include <sstream>

namespace berth::tests {

/// A driver that runs each stage's script with a shell of this machine, and git
/// repositories to take sources from.
class ScriptedJob : public FakeDriver {
 public:
  /// `shell` as words of a command line: "bash", "busybox sh".
  explicit ScriptedJob(const std::string& shell = "bash") {
    on("config", "exit 0");
    on("run",
       "export GIT_ALLOW_PROTOCOL=file GIT_CONFIG_NOSYSTEM=1\n" + shell +
           " \"$2\"; rc=$?; [ $rc = 0 ] || { echo $rc > $BUILD_EXIT_CODE_FILE; exit 1; }; exit 0");
    config.process_environment = {"PATH=" + bin().string() + ":/usr/local/bin:/usr/bin:/bin",
                                  "HOME=" + dir.path().string()};
    std::filesystem::create_directory(bin());
  }

  std::filesystem::path bin() const { return dir.path() / "bin"; }
  std::filesystem::path project_dir() const { return dir.path() / "builds/project-9"; }

  /// A command in `directory`; its output.
  std::string sh(const std::filesystem::path& directory, const std::string& command) const {
    return local::runner::run_for_output(
        {.arguments = {"bash", "-ec", command},
         .environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + dir.path().string(),
                         "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example", "GIT_COMMITTER_NAME=t",
                         "GIT_COMMITTER_EMAIL=t@example", "GIT_ALLOW_PROTOCOL=file"},
         .directory = directory});
  }

  /// A repository with one file, `<name>.txt`; gives its path.
  std::filesystem::path make_repository(const std::string& name) const {
    const auto path = dir.path() / name;
    std::filesystem::create_directory(path);
    sh(path, "git init -q -b main; echo " + name + " > " + name +
                 ".txt; git add .; git commit -qm first");
    return path;
  }

  /// Sources of the job: HEAD of that repository.
  void use(const std::filesystem::path& repository, const std::string& ref = "main") {
    payload.git_info.repo_url = repository.string();
    payload.git_info.ref = ref;
    payload.git_info.sha = sh(repository, "git rev-parse " + ref).substr(0, 40);
    payload.git_info.refspecs = {"+refs/heads/" + ref + ":refs/remotes/origin/" + ref};
  }

  void script(std::vector<std::string> lines) { payload.steps.at(0).script = std::move(lines); }

  /// A `gitlab-runner` on the PATH that writes its arguments, one call a line,
  /// to the file `tool`, and does what `body` says.
  void install_tool(const std::string& body = "exit 0") const {
    std::ofstream(bin() / "gitlab-runner")
        << "#!/bin/bash\n[ \"$1\" = --version ] && exit 0\n"
        << "echo \"$*\" >> " << (dir.path() / "tool").string() << "\n"
        << body << "\n";
    std::filesystem::permissions(bin() / "gitlab-runner", std::filesystem::perms::owner_all);
  }

  /// Plays anew: what the last job said is forgotten.
  local::runner::JobResult again() {
    observer.out.clear();
    observer.notes.clear();
    return play();
  }
};

}  // namespace berth::tests
