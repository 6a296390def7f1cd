#include "executor/agentlink/socket_transport.hpp"
#include "executor/kubernetes/tunnels.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <fstream>
#include <iterator>
#include <poll.h>
#include <sys/stat.h>

using namespace berth;
using namespace berth::kubernetes;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const TunnelPlan k_plan{
    .settings_file = "/etc/a b\"/berth.yaml", .name_space = "ci", .pod = "berth-1-0", .idle = 900s};

/// Something in berth-tunnel's place: notes what it is told, to a FIFO.
struct Fixture {
  explicit Fixture(const std::string& script) {
    std::ofstream(temp.path() / "berth-tunnel") << "#!/bin/sh\n" << script;
    fs::permissions(temp.path() / "berth-tunnel", fs::perms::owner_all);
    fs::create_directory(tmpdir);
    REQUIRE(::mkfifo((tmpdir / "said").c_str(), 0600) == 0);
    ::setenv("BERTH_TEST_SAID", (tmpdir / "said").c_str(), 1);
  }
  /// Until the program has ended.
  std::string said() const {
    std::ifstream in(tmpdir / "said");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  tests::TempDir temp;
  fs::path tmpdir = temp.path() / "attempt";
};

constexpr const char* k_tell_all = "exec > \"$BERTH_TEST_SAID\"; cat";

}  // namespace

TEST_CASE("a tunnel's plan survives its line") {
  CHECK(parse_tunnel_plan(to_line(k_plan)) == k_plan);
  CHECK_THROWS_AS(parse_tunnel_plan("{"), support::SystemError);
  CHECK_THROWS_AS(parse_tunnel_plan("{}"), support::SystemError);
  CHECK_THROWS_AS(parse_tunnel_plan(R"({"settings":1})"), support::SystemError);
}

TEST_CASE("the program is told the plan, and that the job was prepared") {
  const Fixture f(k_tell_all);
  {
    Tunnels tunnels(f.tmpdir, f.temp.path(), k_plan);
    tunnels.keep();
  }
  CHECK(f.said() == to_line(k_plan) + "keep\n");
}

TEST_CASE("a preparation that fails does not keep its tunnels") {
  const Fixture f(k_tell_all);
  { const Tunnels tunnels(f.tmpdir, f.temp.path(), k_plan); }
  CHECK(f.said() == to_line(k_plan));
}

TEST_CASE("sockets are there at once, for us alone, and refuse when the program has ended") {
  const Fixture f("exec > \"$BERTH_TEST_SAID\"; read plan");
  const Tunnels tunnels(f.tmpdir, f.temp.path(), k_plan);
  const auto way =
      agentlink::make_socket_transport(tunnel_socket_dir(f.tmpdir, core::ContainerRole::build));
  CHECK(way->connect({}, {}) != nullptr);
  CHECK((fs::status(f.tmpdir / "tunnel").permissions() & fs::perms::all) == fs::perms::owner_all);
  CHECK(f.said().empty());
  CHECK_THROWS_AS(way->connect({}, {}), agentlink::ConnectError);
  end_tunnels(f.tmpdir);  // nobody to end: no error
}

TEST_CASE("tunnels are made anew where an earlier preparation has left theirs") {
  const Fixture f(k_tell_all);
  { const Tunnels tunnels(f.tmpdir, f.temp.path(), k_plan); }
  f.said();
  { const Tunnels tunnels(f.tmpdir, f.temp.path(), k_plan); }
  CHECK(f.said() == to_line(k_plan));
}

TEST_CASE("a program that is not there is an error") {
  const tests::TempDir empty;
  CHECK_THROWS_AS(Tunnels(empty.path(), empty.path(), k_plan), support::SystemError);
}
