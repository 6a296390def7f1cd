#include "executor/hints/find.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace berth;
using hints::find_cause;
using hints::KnownCause;
using hints::Where;

namespace {

/// What programs really write, and what is known of it; null: nothing.
struct Row {
  const char* text;
  const char* cause;
  Where where = Where::script;
};

const std::vector<Row> k_rows = {
    {"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
     "out-of-memory"},
    {"Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space", "out-of-memory"},
    {"fork: Cannot allocate memory", "out-of-memory"},
    {"cp: error writing '/dev/shm/x': No space left on device", "disk-full"},
    {"write /var/lib/docker/tmp/x: no space left on device", "disk-full"},
    {"PANIC:  could not write to file \"pg_wal/xlogtemp.31\": No space left on device", "disk-full",
     Where::service},
    {"standard_init_linux.go:228: exec user process caused: exec format error", "exec-format"},
    {"bash: line 12: ./tool: cannot execute binary file: Exec format error", "exec-format"},
    {"exec /usr/local/bin/docker-entrypoint.sh: exec format error", "exec-format", Where::service},
    {"Error response from daemon: client version 1.41 is too old. Minimum supported API version is "
     "1.44, please upgrade your client to a newer version",
     "docker-client-too-old"},
    {"Error response from daemon: client version 1.52 is too new. Maximum supported API version is "
     "1.41",
     "docker-client-too-new"},
    {"Error response from daemon: Client sent an HTTP request to an HTTPS server.",
     "docker-plain-client"},
    {"error during connect: Get \"https://docker:2375/v1.24/containers/json\": http: server gave "
     "HTTP response to HTTPS client",
     "docker-tls-client"},
    {"tls: first record does not look like a TLS handshake", "docker-tls-client"},
    // A registry is no daemon.
    {"Get \"https://10.0.0.1:5000/v2/\": http: server gave HTTP response to HTTPS client", nullptr},
    {"unable to resolve docker endpoint: open /certs/client/ca.pem: no such file or directory",
     "docker-certificates-missing"},
    {"could not read CA certificate \"/certs/client/ca.pem\": open /certs/client/ca.pem: no such "
     "file or directory",
     "docker-certificates-missing"},
    {"Cannot connect to the Docker daemon at tcp://localhost:2375. Is the docker daemon running?",
     "docker-daemon-port"},
    {"error during connect: Get \"http://docker:2375/v1.24/info\": dial tcp: lookup docker on "
     "10.0.0.2:53: no such host",
     "docker-daemon-port"},
    {"dial tcp 172.17.0.3:2375: connect: connection refused", "docker-daemon-port"},
    {"dial tcp 172.17.0.3:5432: connect: connection refused", nullptr},
    {"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
     "running?",
     "docker-daemon-none"},
    {"/bin/sh: eval: line 156: docker: not found", "docker-client-missing"},
    {"/usr/bin/bash: line 149: docker: command not found", "docker-client-missing"},
    {"sh: 1: docker: not found", "docker-client-missing"},
    {"bash: line 1: docker-compose: command not found", nullptr},
    {"bash: line 1: mydocker: command not found", nullptr},
    {"fatal: ambiguous argument 'HEAD~': unknown revision or path not in the working tree.",
     "clone-too-shallow"},
    {"fatal: ambiguous argument 'HEAD~1': unknown revision or path not in the working tree.",
     "clone-too-shallow"},
    {"fatal: ambiguous argument 'HEAD^': unknown revision or path not in the working tree.",
     "clone-too-shallow"},
    {"fatal: bad revision 'HEAD~2'", "clone-too-shallow"},
    {"fatal: ambiguous argument 'v1.0': unknown revision or path not in the working tree.",
     nullptr},
    {"Error: Database is uninitialized and superuser password is not specified.",
     "postgres-password", Where::service},
    // Words of a service are no words of a script, and the other way round.
    {"Error: Database is uninitialized and superuser password is not specified.", nullptr},
    {"/bin/sh: docker: not found", nullptr, Where::service},
    {"everything is fine", nullptr},
    {"", nullptr},
};

}  // namespace

TEST_CASE("what programs write, and what is known of it") {
  for (const Row& row : k_rows) {
    INFO(row.text);
    const KnownCause* cause = find_cause(row.text, row.where);
    if (row.cause == nullptr) {
      CHECK(cause == nullptr);
    } else {
      REQUIRE(cause != nullptr);
      CHECK(cause->name == row.cause);
    }
  }
}

TEST_CASE("every known cause has words above, and its hint is one line that says what to do") {
  std::set<std::string_view> names;
  for (const KnownCause& cause : hints::known_causes()) {
    INFO(cause.name);
    CHECK(names.insert(cause.name).second);
    CHECK(std::any_of(k_rows.begin(), k_rows.end(), [&](const Row& row) {
      return row.cause != nullptr && row.cause == cause.name;
    }));
    CHECK_FALSE(cause.phrases.front().empty());
    CHECK(cause.hint.find('\n') == std::string_view::npos);
    CHECK(cause.hint.size() > 40);
    CHECK(cause.hint.size() < 300);
  }
  CHECK(hints::out_of_memory().name == "out-of-memory");
}
