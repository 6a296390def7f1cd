#include "cli/local/address.hpp"
#include "cli/local/git_checkout.hpp"
#include "cli/local/job_log.hpp"
#include "cli/local/runner/child.hpp"
#include "cli/local/terminal.hpp"
#include "cli/local/workspace.hpp"
#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace berth::local;
using berth::tests::TempDir;

namespace {

std::string sh(const std::filesystem::path& directory, const std::string& command) {
  return runner::run_for_output(
      {.arguments = {"bash", "-ec", command},
       .environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent",
                       "GIT_AUTHOR_NAME=Ann Author", "GIT_AUTHOR_EMAIL=ann@example",
                       "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example",
                       "GIT_COMMITTER_DATE=2024-05-06T07:08:09Z"},
       .directory = directory});
}

/// Something to print to, and to read what was printed.
class Printed {
 public:
  Printed() : m_file(::memfd_create("terminal", MFD_CLOEXEC)) {}
  int fd() const { return m_file.get(); }
  std::string text() const {
    std::string result(static_cast<std::size_t>(::lseek(m_file.get(), 0, SEEK_CUR)), '\0');
    REQUIRE(::pread(m_file.get(), result.data(), result.size(), 0) ==
            static_cast<ssize_t>(result.size()));
    return result;
  }

 private:
  berth::support::Fd m_file;
};

}  // namespace

TEST_CASE("the checkout's facts are those of HEAD") {
  TempDir dir;
  sh(dir.path(),
     "git init -q -b main; git config user.name 'Uma User'; git config user.email uma@example;"
     "git remote add origin git@git.example:group/sub/app.git; mkdir d; echo 1 > d/f; git add .;"
     "git commit -qm first; git commit -qm $'Second\\n\\nWith a body' --allow-empty");
  SECTION("on a branch") {
    const GitCheckout checkout = read_checkout(dir.path() / "d", "");
    CHECK(checkout.root == std::filesystem::canonical(dir.path()));
    CHECK(checkout.sha + "\n" == sh(dir.path(), "git rev-parse HEAD"));
    CHECK(checkout.before_sha + "\n" == sh(dir.path(), "git rev-parse HEAD~1"));
    CHECK(checkout.ref == "main");
    CHECK(checkout.has_branch);
    CHECK_FALSE(checkout.is_tag);
    CHECK(checkout.message == "Second\n\nWith a body");
    CHECK(checkout.author == "Ann Author <ann@example>");
    CHECK(checkout.timestamp == "2024-05-06T07:08:09+00:00");
    CHECK(checkout.project_path == "group/sub/app");
    CHECK(checkout.user_email == "uma@example");
    CHECK_FALSE(checkout.dirty);
    CHECK(list_files(checkout) == std::vector<std::string>{"d/f"});
    CHECK(read_file(checkout, "d/f") == "1\n");
    CHECK_FALSE(read_file(checkout, "d/none"));
    CHECK(blob_id(checkout, "d/f") + "\n" == sh(dir.path(), "git rev-parse HEAD:d/f"));
    CHECK(blob_id(checkout, "none").empty());
  }
  SECTION("on a tag, on nothing, as another ref") {
    sh(dir.path(), "git tag -am 'of the tag' v1; git checkout -q --detach");
    const GitCheckout tagged = read_checkout(dir.path(), "");
    CHECK(tagged.ref == "v1");
    CHECK(tagged.is_tag);
    CHECK(tagged.tag_message == "of the tag");
    CHECK(tagged.default_branch == "main");
    CHECK(read_checkout(dir.path(), "main").has_branch);
    const GitCheckout invented = read_checkout(dir.path(), "feature/x");
    CHECK(invented.ref == "feature/x");
    CHECK_FALSE(invented.has_branch);
    CHECK_FALSE(invented.is_tag);
    sh(dir.path(), "git commit -qm third --allow-empty");
    CHECK_FALSE(read_checkout(dir.path(), "").ref.empty());
  }
  SECTION("edited, and in a linked worktree") {
    sh(dir.path(),
       "echo 2 > d/f; echo new > untracked; git worktree add -q ../$(basename $PWD)-linked -b "
       "linked");
    CHECK(read_checkout(dir.path(), "").dirty);
    const auto linked = dir.path().string() + "-linked";
    const GitCheckout checkout = read_checkout(linked, "");
    CHECK(checkout.ref == "linked");
    CHECK_FALSE(checkout.dirty);
    CHECK(checkout.git_dir == std::filesystem::canonical(dir.path() / ".git"));
    std::filesystem::remove_all(linked);
  }
  SECTION("origins of other shapes") {
    for (const auto& [remote, path] :
         {std::pair{"https://u:p@h:1/a/b.git", "a/b"}, std::pair{"ssh://git@h:22/a/b/c", "a/b/c"},
          std::pair{"/srv/git/x.git", ""}, std::pair{"file:///srv/git/x.git", ""}}) {
      sh(dir.path(), std::string("git remote set-url origin ") + remote);
      const std::string expected = *path != '\0' ? path : "local/" + dir.path().filename().string();
      CHECK(read_checkout(dir.path(), "").project_path == expected);
    }
  }
}

TEST_CASE("a checkout without a commit cannot be run") {
  TempDir dir;
  ::setenv("GIT_CEILING_DIRECTORIES", dir.path().parent_path().c_str(), 1);
  CHECK_THROWS_WITH(read_checkout(dir.path(), ""), StartsWith("not in a git checkout"));
  sh(dir.path(), "git init -q");
  CHECK_THROWS_WITH(read_checkout(dir.path(), ""), StartsWith("the checkout has no commit"));
}

TEST_CASE("a job's log is whole in the file and readable on the terminal") {
  TempDir dir;
  const bool colours = GENERATE(true, false);
  Printed printed;
  Terminal terminal(printed.fd(), colours);
  {
    JobLog log(dir.path() / "log", {"hunter2-hunter2"}, terminal, "job | ");
    log.section_begin("get_sources", "Getting source");
    log.output(runner::Program::run, "get_sources", runner::Stream::out,
               "\033[32mgreen\033[0m\nper");
    log.output(runner::Program::run, "get_sources", runner::Stream::out,
               "cent 10%\rpercent 20%\nhunter2-");
    log.output(runner::Program::run, "get_sources", runner::Stream::err, "err\n");
    log.output(runner::Program::run, "get_sources", runner::Stream::out, "hunter2\nno newline");
    log.section_end("get_sources");
    log.note(runner::NoteLevel::error, "failed with hunter2-hunter2");
  }
  const std::string file = berth::support::read_file(dir.path() / "log", 10000);
  CHECK(file ==
        "\033[36;1mGetting source\033[0;m\n\033[32mgreen\033[0m\npercent 10%\rpercent "
        "20%\nerr\n[MASKED]\nno newline"
        "\n\033[31;1mERROR: failed with [MASKED]\033[0;m\n");
  if (!colours) {
    CHECK(printed.text() ==
          "job | Getting source\njob | green\njob | percent 20%\njob | err\njob | [MASKED]\njob | "
          "no newline\n"
          "job | ERROR: failed with [MASKED]\n");
  } else {
    CHECK_THAT(printed.text(), ContainsSubstring("job | \033[32mgreen\033[0m"));
    CHECK_THAT(printed.text(), ContainsSubstring("percent 10%\rpercent 20%"));
  }
}

TEST_CASE("marks of sections stand in the file, not on the terminal") {
  TempDir dir;
  const bool colours = GENERATE(true, false);
  const std::string out =
      "section_start:1:section_a[collapsed=true]\r\033[0K$ if\nfi\n"
      "section_end:1:section_a\r\033[0K\n\nsection_start: mine\n";
  Printed printed;
  {
    Terminal terminal(printed.fd(), colours);
    JobLog log(dir.path() / "log", {}, terminal, "job | ");
    log.output(runner::Program::run, "step_script", runner::Stream::out, out);
  }
  CHECK(berth::support::read_file(dir.path() / "log", 10000) == out);
  const std::string end = colours ? "\033[0m\n" : "\n";
  CHECK(printed.text() ==
        "job | $ if" + end + "job | fi" + end + "job | " + end + "job | section_start: mine" + end);
}

TEST_CASE("a job's log ends at its limit, and says so once") {
  TempDir dir;
  Printed printed;
  const std::string told =
      "\n\033[33;1mJob's log exceeded limit of 12 bytes.\n"
      "Job execution will continue but no more output will be collected.\033[0;m\n";
  // What the job writes in turn, and what of it stays.
  const auto [parts, kept] = GENERATE(table<std::vector<std::string>, std::string>(
      {{{"12345678901"}, "12345678901\n" /* ended */},
       {{"Hello World\n"}, "Hello World\n"},
       {{"Hello", " World!", "more"}, "Hello World!"},
       {{"hunter2-hunter2", "56789"}, "[MASKED]5678"},
       {{"1234567890\xC3\xA9"}, "1234567890\xC3\xA9"},
       {{"12345678901\xC3\xA9"}, "12345678901"},
       {{"123456789\xF0\x9F\x98\x80"}, "123456789"},
       {{"12345678\xF0\x9F\x98\x80"}, "12345678\xF0\x9F\x98\x80"},
       {{"123456789012\xC3\xA9"}, "123456789012"},
       {{std::string(20, '\xA9')}, std::string(12, '\xA9')}}));
  {
    Terminal terminal(printed.fd(), false);
    JobLog log(dir.path() / "log", {"hunter2-hunter2"}, terminal, "", 12);
    for (const std::string& part : parts) {
      log.output(runner::Program::run, "step_script", runner::Stream::out, part);
    }
    log.section_end("step_script");
    log.note(runner::NoteLevel::error, "Job failed");
  }
  CHECK(berth::support::read_file(dir.path() / "log", 10000) == kept + told);
  CHECK_THAT(printed.text(), ContainsSubstring("no more output will be collected."));
  CHECK(printed.text().find("Job failed") == std::string::npos);
}

TEST_CASE("escape sequences are taken out of lines that no terminal shows") {
  CHECK(plain_line("\033[1;32mgreen\033[0m \033[0Kend") == "green end");
  CHECK(plain_line("\033]0;title\007text\033]8;;http://x\033\\link") == "textlink");
  CHECK(plain_line("10%\r20%\r100%") == "100%");
  CHECK(plain_line("cut \033[1;3") == "cut ");
  CHECK(plain_line("\033") == "\033");
  CHECK(plain_line("\033(Bx") == "Bx");
}

TEST_CASE("runs are numbered, the last ten stay, and one that runs is never removed") {
  TempDir dir;
  const auto base = dir.path() / "local";
  const Workspace first(base, 7);
  CHECK(first.pipeline_id() == 1);
  for (int i = 0; i < 14; ++i) Workspace(base, 7);
  CHECK(std::filesystem::exists(first.logs()));
  CHECK_FALSE(std::filesystem::exists(base / "7/runs/2"));
  CHECK(std::filesystem::exists(base / "7/runs/15"));
  CHECK(std::distance(std::filesystem::directory_iterator(base / "7/runs"), {}) == 11);
  CHECK(Workspace(base, 8).pipeline_id() == 1);
  CHECK(std::filesystem::status(base).permissions() == std::filesystem::perms::owner_all);
}

TEST_CASE("what a job left is there for a later run, and replaced by the next") {
  TempDir dir;
  const Workspace workspace(dir.path() / "local", 7);
  server::ArtifactStore store(workspace.artifacts());
  store.add_job(11, "token");
  const auto upload = [&](const std::string& type, const std::string& content) {
    const auto path = store.begin_upload(11, type);
    std::ofstream(path) << content;
    store.commit(11, type, type + ".zip", path);
  };
  upload("archive", "one");
  upload("junit", "not kept");
  workspace.remember("Build: it/all", store, 11);
  auto kept = Workspace(dir.path() / "local", 7).recall("Build: it/all");
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].type == "archive");
  CHECK(kept[0].name == "archive.zip");
  CHECK(berth::support::read_file(kept[0].path, 100) == "one");
  CHECK(workspace.recall("Build: it-all").empty());
  store.drop(11);
  upload("dotenv", "A=1");
  workspace.remember("Build: it/all", store, 11);
  kept = workspace.recall("Build: it/all");
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].type == "dotenv");
}

TEST_CASE("the address of one run is known to the next run of the project") {
  TempDir dir;
  CHECK(Workspace(dir.path() / "local", 7).address().empty());
  Workspace(dir.path() / "local", 7).remember_address("10.0.0.1");
  CHECK(Workspace(dir.path() / "local", 7).address() == "10.0.0.1");
  CHECK(Workspace(dir.path() / "local", 8).address().empty());
}

TEST_CASE("projects have numbers of their own") {
  CHECK(project_number("/a") == project_number("/a"));
  CHECK(project_number("/a") != project_number("/b"));
  CHECK(project_number("/a") > 0);
}

TEST_CASE("IPv6 addresses stand in brackets") {
  CHECK(url_host("10.0.0.1") == "10.0.0.1");
  CHECK(url_host("fd00::1") == "[fd00::1]");
}

TEST_CASE("TMPDIRs of dead runners go, of living ones and kept ones stay") {
  TempDir dir;
  const Workspace first(dir.path() / "local", 7);
  const auto make = [&first](const std::string& name, bool kept) {
    const auto path = first.tmp() / name;
    std::filesystem::create_directory(path);
    if (kept) std::ofstream(path / "kept") << "";
    std::filesystem::last_write_time(
        path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    return path;
  };
  const auto dead = make("custom-executorDEAD", false);
  const auto kept = make("custom-executorKEPT", true);
  const auto old = make("custom-executorOLD", true);
  std::filesystem::last_write_time(
      old / "kept", std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  const auto other = make("something else", false);
  const auto alive = make("custom-executorALIVE", false);
  const berth::support::Fd lock(::open(alive.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
  const Workspace second(dir.path() / "local", 7);
  CHECK_FALSE(std::filesystem::exists(dead));
  CHECK_FALSE(std::filesystem::exists(old));
  CHECK(std::filesystem::exists(kept));
  CHECK(std::filesystem::exists(alive));
  CHECK(std::filesystem::exists(other));
}
