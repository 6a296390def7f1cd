#include "executor/settings/settings.hpp"
#include "executor/support/error.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <map>
#include <unistd.h>

using namespace berth;
using tests::TempDir;

namespace {

settings::GetEnv environment(std::map<std::string, std::string, std::less<>> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

}  // namespace

TEST_CASE("load: the argument goes before the environment") {
  const TempDir directory;
  const auto one = directory.path() / "one.yaml";
  const auto two = directory.path() / "two.yaml";
  support::write_file_atomically(one, "docker: {image: one}\nstate_dir: /s\n");
  support::write_file_atomically(two, "docker: {image: two}\n");
  const auto getenv = environment({{"BERTH_SETTINGS", two.native()}, {"HOME", "/home/x"}});
  CHECK(settings::load(one, getenv).policy.image == "one");
  CHECK(settings::load(one, getenv).state_dir == "/s");
  CHECK(settings::load(std::nullopt, getenv).policy.image == "two");
}

TEST_CASE("load: a settings file that is named must be there") {
  const TempDir directory;
  const auto missing = directory.path() / "missing.yaml";
  CHECK_THROWS_AS(settings::load(missing, environment({})), support::OperatorError);
  CHECK_THROWS_WITH(settings::load(missing, environment({})), ContainsSubstring("--settings"));
  CHECK_THROWS_WITH(
      settings::load(std::nullopt, environment({{"BERTH_SETTINGS", missing.native()}})),
      ContainsSubstring("BERTH_SETTINGS"));
}

TEST_CASE("load: errors name the file") {
  const TempDir directory;
  const auto file = directory.path() / "bad.yaml";
  support::write_file_atomically(file, "docker:\n  imgae: x\n");
  CHECK_THROWS_WITH(settings::load(file, environment({})),
                    StartsWith(file.native() + ":2:3: unknown key 'imgae'"));
}

TEST_CASE("load: where state lies by default") {
  const TempDir directory;
  const auto file = directory.path() / "s.yaml";
  support::write_file_atomically(file, "");
  const auto state = [&](std::map<std::string, std::string, std::less<>> values) {
    return settings::load(file, environment(std::move(values))).state_dir;
  };
  if (::geteuid() == 0) {
    CHECK(state({{"HOME", "/home/x"}}) == "/var/lib/berth");
  } else {
    CHECK(state({{"HOME", "/home/x"}}) == "/home/x/.local/state/berth");
    CHECK(state({{"HOME", "/home/x"}, {"XDG_STATE_HOME", "/st"}}) == "/st/berth");
    CHECK(state({{"HOME", "/home/x"}, {"XDG_STATE_HOME", "rel"}}) == "/home/x/.local/state/berth");
    CHECK_THROWS_AS(state({}), support::OperatorError);
  }
}

TEST_CASE("load: a seccomp profile is put in place of its path") {
  const TempDir directory;
  const auto profile = directory.path() / "profile.json";
  support::write_file_atomically(profile, "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}");
  const auto file = directory.path() / "s.yaml";
  support::write_file_atomically(
      file, "state_dir: /s\ndocker:\n  security_opt: [seccomp=unconfined, apparmor=x, seccomp=" +
                profile.native() + "]\n");
  CHECK(settings::load(file, environment({})).docker.security_opt ==
        std::vector<std::string>{"seccomp=unconfined", "apparmor=x",
                                 "seccomp={\"defaultAction\": \"SCMP_ACT_ALLOW\"}"});
  std::filesystem::remove(profile);
  CHECK_THROWS_AS(settings::load(file, environment({})), support::OperatorError);
  CHECK_THROWS_WITH(settings::load(file, environment({})), ContainsSubstring("security_opt"));
}
