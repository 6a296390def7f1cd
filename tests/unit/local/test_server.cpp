#include "cli/local/runner/child.hpp"
#include "cli/local/server/artifact_endpoint.hpp"
#include "cli/local/server/git_endpoint.hpp"
#include "cli/local/server/gzip.hpp"
#include "cli/local/server/multipart.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace berth::local::server;
using berth::local::runner::run_for_output;
using berth::local::runner::try_for_output;
using berth::tests::TempDir;

namespace {

/// Sends bytes, reads to the end of the connection.
std::string exchange(std::uint16_t port, const std::vector<std::string>& pieces) {
  const berth::support::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  for (const std::string& piece : pieces) berth::support::write_all(socket.get(), piece, "test");
  std::string answer;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(socket.get(), buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  return answer;
}

std::string head(const std::string& line, const std::vector<std::string>& headers) {
  std::string text = line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  for (const std::string& header : headers) text += header + "\r\n";
  return text + "\r\n";
}

std::string chunk(const std::string& bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

const std::string k_boundary_header = "Content-Type: multipart/form-data; boundary=XyZ";

std::string form(const std::string& content) {
  return "--XyZ\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n"
         "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"artifacts.zip\"\r\n"
         "Content-Type: application/octet-stream\r\n\r\n" +
         content + "\r\n--XyZ--\r\n";
}

}  // namespace

TEST_CASE("a multipart file is the same wherever the stream is cut") {
  const std::string content = "a\r\n--Xy\r\n\r\n--XyYZ\0b--XyZ\r";
  const std::string body = form(content);
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    std::string got;
    MultipartFile multipart("multipart/form-data; boundary=\"XyZ\"",
                            [&](std::string_view bytes) { got += bytes; });
    multipart.feed(body.substr(0, cut));
    multipart.feed(body.substr(cut));
    multipart.finish();
    REQUIRE(got == content);
    REQUIRE(multipart.filename() == "artifacts.zip");
  }
}

TEST_CASE("a file's name cannot end the header that will carry it") {
  MultipartFile multipart("multipart/form-data; boundary=b", [](std::string_view) {});
  multipart.feed(
      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\nX: \t1.zip\"\r\n\r\n"
      "\r\n--b--");
  multipart.finish();
  CHECK(multipart.filename() == "aX: 1.zip");
}

TEST_CASE("a broken upload is refused") {
  const auto ignore = [](std::string_view) {};
  CHECK_THROWS(MultipartFile("text/plain", ignore));
  CHECK_THROWS(MultipartFile("multipart/form-data", ignore));
  MultipartFile cut("multipart/form-data; boundary=XyZ", ignore);
  cut.feed(form("abc").substr(0, 150));
  CHECK_THROWS(cut.finish());
  MultipartFile without("multipart/form-data; boundary=XyZ", ignore);
  without.feed("--XyZ--\r\n");
  CHECK_THROWS(without.finish());
  MultipartFile endless("multipart/form-data; boundary=XyZ", ignore);
  endless.feed("--XyZ\r\n");
  CHECK_THROWS(endless.feed(std::string(20000, 'x')));
}

TEST_CASE("artifacts go up with the job's token and down with it") {
  TempDir dir;
  ArtifactStore store(dir.path());
  store.add_job(7, "seven");
  store.add_job(8, "eight");
  HttpServer server(
      [&store](const Request& request, Exchange& exchange) {
        if (!serve_artifacts(store, request, exchange)) exchange.reply(404, {}, "");
      },
      0);
  const std::string content(300000, 'z');
  const std::string body = form(content);
  const std::string post =
      "POST /api/v4/jobs/7/artifacts?artifact_format=zip&artifact_type=archive";
  SECTION("chunked, in odd pieces") {
    const std::string answer =
        exchange(server.port(),
                 {head(post, {"JOB-TOKEN: seven", "Transfer-Encoding: chunked", k_boundary_header}),
                  chunk(body.substr(0, 77)), chunk(body.substr(77, 100000)),
                  chunk(body.substr(100077)), "0\r\n\r\n"});
    CHECK_THAT(answer, StartsWith("HTTP/1.1 201"));
    const std::string got =
        exchange(server.port(),
                 {head("GET /api/v4/jobs/7/artifacts?direct_download=true", {"JOB-TOKEN: seven"})});
    CHECK_THAT(got, StartsWith("HTTP/1.1 200"));
    CHECK_THAT(got, ContainsSubstring("filename=\"artifacts.zip\""));
    CHECK(std::count(got.begin(), got.end(), 'z') >= 300000);
    CHECK(store.find(7, "archive")->size == content.size());
    store.drop(7);
    CHECK_FALSE(store.find(7, "archive"));
  }
  SECTION("with a length, after 100-continue") {
    const std::string answer = exchange(
        server.port(), {head(post, {"JOB-TOKEN: seven", "Expect: 100-continue", k_boundary_header,
                                    fmt::format("Content-Length: {}", body.size())}),
                        body});
    CHECK_THAT(answer, StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201"));
  }
  SECTION("another job's token, or none") {
    for (const char* token : {"JOB-TOKEN: eight", "JOB-TOKEN: ", "X: y"}) {
      CHECK_THAT(exchange(server.port(), {head("GET /api/v4/jobs/7/artifacts", {token})}),
                 StartsWith("HTTP/1.1 403"));
    }
  }
  SECTION("a refused upload is told so, however much was on its way") {
    CHECK_THAT(
        exchange(server.port(), {head(post, {"JOB-TOKEN: wrong", k_boundary_header,
                                             fmt::format("Content-Length: {}", body.size())}),
                                 body}),
        StartsWith("HTTP/1.1 403"));
  }
  SECTION("nothing uploaded") {
    CHECK_THAT(
        exchange(server.port(), {head("GET /api/v4/jobs/7/artifacts", {"JOB-TOKEN: seven"})}),
        StartsWith("HTTP/1.1 404"));
  }
  SECTION("an upload that breaks off leaves nothing") {
    exchange(server.port(),
             {head(post, {"JOB-TOKEN: seven", "Content-Length: 10", k_boundary_header}),
              "--XyZ\r\nabc"});
    CHECK_FALSE(store.find(7, "archive"));
  }
  SECTION("a type that is no word") {
    CHECK_THAT(exchange(server.port(),
                        {head("POST /api/v4/jobs/7/artifacts?artifact_type=..%2Fx",
                              {"JOB-TOKEN: seven", "Content-Length: 0", k_boundary_header})}),
               StartsWith("HTTP/1.1 400"));
  }
  SECTION("other paths") {
    for (const char* path :
         {"GET /api/v4/jobs/x/artifacts", "GET /", "GET /api/v4/jobs//artifacts"}) {
      CHECK_THAT(exchange(server.port(), {head(path, {})}), StartsWith("HTTP/1.1 404"));
    }
  }
}

TEST_CASE("sources are cloned over HTTP with a job's token only") {
  TempDir dir;
  const auto sh = [&dir](const std::string& command) {
    return try_for_output(
        {.arguments = {"bash", "-ec", command},
         .environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + dir.path().string(),
                         "GIT_TERMINAL_PROMPT=0", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@e",
                         "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@e"},
         .directory = dir.path()});
  };
  REQUIRE(
      sh("git init -q -b main app; cd app; for i in 1 2 3; do echo $i > f$i; git add .; git commit "
         "-qm $i; done"));
  const std::string old = *sh("git -C app rev-parse HEAD~1");
  ArtifactStore store(dir.path() / "store");
  store.add_job(7, "seven");
  const GitRepository repository{.url_path = "/group/app.git", .git_dir = dir.path() / "app/.git"};
  HttpServer server(
      [&](const Request& request, Exchange& exchange) {
        if (!serve_git(repository, store, request, exchange)) exchange.reply(404, {}, "");
      },
      0);
  const std::string host = fmt::format("127.0.0.1:{}/group/app.git", server.port());
  SECTION("with the token") {
    REQUIRE(sh("git clone -q http://gitlab-ci-token:seven@" + host + " copy; cat copy/f3"));
    CHECK(sh("git -C copy rev-list --count HEAD") == "3\n");
  }
  SECTION("by several at once, shallow") {
    std::vector<std::thread> clones;
    std::atomic<int> good = 0;
    for (int i = 0; i < 4; ++i) {
      clones.emplace_back([&, i] {
        good +=
            sh(fmt::format("git clone -q --depth 1 http://x:seven@{} copy{}", host, i)).has_value()
                ? 1
                : 0;
      });
    }
    for (std::thread& clone : clones) clone.join();
    CHECK(good == 4);
  }
  SECTION("a commit by its id, with the old protocol too") {
    const std::string version = GENERATE("0", "2");
    CHECK(sh("git init -q copy; cd copy; git -c protocol.version=" + version +
             " fetch -q http://x:seven@" + host + " " + old));
  }
  SECTION("a request body large enough to be compressed") {
    // A client that has many commits of its own sends them as haves, gzipped.
    CHECK(
        sh("git init -q -b other copy; cd copy; for i in $(seq 60); do git commit -q --allow-empty "
           "-m $i; done;"
           "git fetch -q http://x:seven@" +
           host + " main"));
  }
  SECTION("without a token, or with a wrong one") {
    CHECK_FALSE(sh("git clone -q http://" + host + " copy"));
    CHECK_FALSE(sh("git clone -q http://x:eight@" + host + " copy"));
  }
  SECTION("no push") {
    REQUIRE(sh("git clone -q http://x:seven@" + host + " copy"));
    CHECK_FALSE(
        sh("cd copy; git commit -q --allow-empty -m x; git push -q origin HEAD:refs/heads/new"));
    CHECK_FALSE(sh("git -C app rev-parse --verify -q new"));
  }
  SECTION("nothing beside the repository") {
    CHECK_FALSE(sh("git ls-remote http://x:seven@" +
                   fmt::format("127.0.0.1:{}/group/app.git/../../etc", server.port())));
  }
}

TEST_CASE("gzip files are unpacked, all members, and checked") {
  TempDir dir;
  const auto gzip = [&dir](const std::string& text) {
    std::ofstream(dir.path() / "plain") << text;
    return run_for_output({.arguments = {"gzip", "-c", "plain"},
                           .environment = {"PATH=/usr/bin:/bin"},
                           .directory = dir.path()});
  };
  const std::string one = gzip("KEY=value\n");
  const std::string two = gzip(std::string(100000, 'x'));
  CHECK(gunzip(one, 1000) == "KEY=value\n");
  CHECK(gunzip(one + one, 1000) == "KEY=value\nKEY=value\n");
  CHECK(gunzip(two, 100000).size() == 100000);
  CHECK(gunzip("", 10).empty());
  CHECK_THROWS(gunzip(two, 99999));
  CHECK_THROWS(gunzip(one.substr(0, one.size() - 1), 1000));
  for (std::size_t at = 1; at < one.size(); ++at) CHECK_THROWS(gunzip(one.substr(0, at), 1000));
  std::string flipped = one;
  flipped[flipped.size() - 7] = static_cast<char>(flipped[flipped.size() - 7] ^ 1);
  CHECK_THROWS(gunzip(flipped, 1000));
  CHECK_THROWS(gunzip("plain text that is no gzip at all", 1000));
}

TEST_CASE("queries and credentials are decoded") {
  Request request;
  request.query = "a=1&expire_in=1+week%21&b";
  CHECK(request.parameter("expire_in") == "1 week!");
  CHECK(request.parameter("b").empty());
  CHECK(request.parameter("c").empty());
  CHECK(percent_decoded("%4", false) == "%4");
  CHECK(percent_decoded("%zz+", false) == "%zz+");
  const auto credentials = basic_credentials("Basic " + berth::support::base64_encode("u:p:q"));
  REQUIRE(credentials);
  CHECK(credentials->second == "p:q");
  CHECK_FALSE(basic_credentials("Bearer x"));
  CHECK_FALSE(basic_credentials("Basic !!"));
}
