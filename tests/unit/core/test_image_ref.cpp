#include "executor/core/image_ref.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

using namespace berth::core;
using berth::support::JobError;

namespace {

const std::string k_digest = "sha256:" + std::string(64, 'a');

}  // namespace

TEST_CASE("image names: taken apart") {
  struct Case {
    std::string text;
    ImageRef expected;
  };
  const std::vector<Case> cases{
      {"postgres", {"docker.io", "library/postgres", "latest", "", "postgres"}},
      {"postgres:15", {"docker.io", "library/postgres", "15", "", "postgres"}},
      {"a/b", {"docker.io", "a/b", "latest", "", "a/b"}},
      {"docker.io/postgres", {"docker.io", "library/postgres", "latest", "", "docker.io/postgres"}},
      {"index.docker.io/a/b:1", {"docker.io", "a/b", "1", "", "index.docker.io/a/b"}},
      {"localhost/x", {"localhost", "x", "latest", "", "localhost/x"}},
      {"localhost:5000/x:1", {"localhost:5000", "x", "1", "", "localhost:5000/x"}},
      {"r.example.com/g/p/app:v1.2-x_y",
       {"r.example.com", "g/p/app", "v1.2-x_y", "", "r.example.com/g/p/app"}},
      {"Host/x", {"Host", "x", "latest", "", "Host/x"}},
      {"[::1]:5000/x", {"[::1]:5000", "x", "latest", "", "[::1]:5000/x"}},
      {"x@" + k_digest, {"docker.io", "library/x", "", k_digest, "x"}},
      {"x:1@" + k_digest, {"docker.io", "library/x", "1", k_digest, "x"}},
      {"g/b_c__d--e.f", {"docker.io", "g/b_c__d--e.f", "latest", "", "g/b_c__d--e.f"}},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    CHECK(parse_image_ref(one.text) == one.expected);
  }
}

TEST_CASE("image names: refused") {
  for (const std::string& text : std::vector<std::string>{"",
                                                          ":",
                                                          ":1",
                                                          "a:",
                                                          "a@",
                                                          "a@x",
                                                          "a@sha256:12",
                                                          "Upper",
                                                          "a/Upper",
                                                          "a//b",
                                                          "/a",
                                                          "a/",
                                                          "a b",
                                                          "a:b:c",
                                                          "a___b",
                                                          "a..b",
                                                          "-a",
                                                          "a-",
                                                          "$IMAGE",
                                                          "a:.x",
                                                          "a:" + std::string(129, 'x'),
                                                          "host:port/x",
                                                          "-h.x/y",
                                                          "h..x/y",
                                                          std::string(300, 'a'),
                                                          "a@" + k_digest + "@" + k_digest,
                                                          std::string("a\0b", 3),
                                                          "\xff"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_image_ref(text), JobError);
  }
  CHECK_THROWS_WITH(parse_image_ref("g/App"),
                    "not an image name: 'g/App': upper case letters are not allowed in the path");
}

TEST_CASE("service names: as the runner derives them") {
  using Names = std::vector<std::string>;
  CHECK(service_names("postgres") == Names{"postgres"});
  CHECK(service_names("postgres:15.1") == Names{"postgres"});
  CHECK(service_names("tutum/wordpress:latest") == Names{"tutum__wordpress", "tutum-wordpress"});
  CHECK(service_names("r.example.com:5000/g/pg:1") ==
        Names{"r.example.com__g__pg", "r.example.com-g-pg"});
  CHECK(service_names("pg@" + k_digest) == Names{"pg"});
  CHECK_THROWS_AS(service_names("A B"), JobError);
}

TEST_CASE("aliases: separated by commas or blanks") {
  using Names = std::vector<std::string>;
  CHECK(split_aliases("").empty());
  CHECK(split_aliases(" , ,\t").empty());
  CHECK(split_aliases("db") == Names{"db"});
  CHECK(split_aliases("db, pg  postgres,x") == Names{"db", "pg", "postgres", "x"});
}
