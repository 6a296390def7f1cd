#include "executor/sandbox/agent_program.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/docker_engine/elf.hpp"

#include <fstream>

using namespace berth;
using tests::elf;

TEST_CASE("an ELF header tells the machine") {
  CHECK(sandbox::elf_architecture(elf(62)) == "amd64");
  CHECK(sandbox::elf_architecture(elf(183)) == "arm64");
  CHECK(sandbox::elf_architecture(elf(22, /*big=*/true)) == "s390x");
  CHECK(sandbox::elf_architecture(elf(9999)) == "");
  CHECK(sandbox::elf_architecture("#!/bin/sh\nexit 0\n....") == "");
  CHECK(sandbox::elf_architecture("\x7f"
                                  "ELF") == "");
}

TEST_CASE("the engine's machine gets its own program, and nothing else") {
  const tests::TempDir dir;
  CHECK_THROWS_WITH(sandbox::find_agent_program(dir.path(), "amd64"),
                    ContainsSubstring("no such file"));
  std::ofstream(dir.path() / "berth-agent") << elf(62);
  CHECK(sandbox::find_agent_program(dir.path(), "amd64").path == dir.path() / "berth-agent");
  try {
    sandbox::find_agent_program(dir.path(), "arm64");
    FAIL("no error");
  } catch (const support::OperatorError& error) {
    CHECK_THAT(error.what(),
               ContainsSubstring("the containers run on arm64, the program is for amd64"));
    CHECK_THAT(error.hint(), ContainsSubstring("berth-agent-arm64"));
  }
  std::ofstream(dir.path() / "berth-agent-arm64") << elf(183);
  CHECK(sandbox::find_agent_program(dir.path(), "arm64").path == dir.path() / "berth-agent-arm64");
}

TEST_CASE("another program has another stamp") {
  const tests::TempDir dir;
  std::ofstream(dir.path() / "berth-agent") << elf(62);
  const std::string before = sandbox::find_agent_program(dir.path(), "amd64").stamp;
  CHECK(sandbox::find_agent_program(dir.path(), "amd64").stamp == before);
  std::ofstream(dir.path() / "berth-agent") << elf(62) << "more";
  CHECK(sandbox::find_agent_program(dir.path(), "amd64").stamp != before);
}

TEST_CASE("the digest is SHA-256's first twelve digits") {
  CHECK(sandbox::short_digest("abc") == "ba7816bf8f01");
  CHECK(sandbox::short_digest("") == "e3b0c44298fc");
}
