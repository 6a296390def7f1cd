#include "tests/unit/run/run_fixture.hpp"

#include "executor/state/plan.hpp"
#include "executor/state/sandbox.hpp"

#include <fstream>
#include <sstream>

namespace berth::tests {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

RunFixture::RunFixture(const fs::path& socket_dir) {
  fs::create_directory(tmpdir);
  fs::create_directory(bin);
  fs::copy(BERTH_TEST_RUN, bin / "berth-run");
  std::ofstream(bin / "berth-run-engine")
      << "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$TMPDIR/engine_arguments\"\nexit "
      << k_engine_was_here << "\n";
  fs::permissions(bin / "berth-run-engine", fs::perms::owner_all);
  environment = {{"TMPDIR", tmpdir.string()},
                 {"PATH", "/usr/bin:/bin"},
                 {"BUILD_FAILURE_EXIT_CODE", std::to_string(k_build_failure)},
                 {"SYSTEM_FAILURE_EXIT_CODE", std::to_string(k_system_failure)},
                 {"BUILD_EXIT_CODE_FILE", (tmpdir / "build_exit_code").string()}};
  spec.backend = "docker";
  spec.resource_name = "berth-7-abc";
  sandbox.backend = "docker";
  sandbox.values = {{"helper.socket_dir", socket_dir.string()},
                    {"build.socket_dir", socket_dir.string()}};
}

std::unique_ptr<StageProcess> RunFixture::start(const std::string& script, const std::string& stage,
                                                StageProcess::Stdout out) const {
  state::write_plan(tmpdir, spec);
  state::write_sandbox(tmpdir, sandbox);
  std::ofstream(tmpdir / "script") << script;
  return start_again(stage, out);
}

std::unique_ptr<StageProcess> RunFixture::start_again(const std::string& stage,
                                                      StageProcess::Stdout out) const {
  return std::make_unique<StageProcess>(
      bin / "berth-run", std::vector<std::string>{(tmpdir / "script").string(), stage}, environment,
      out);
}

}  // namespace berth::tests
