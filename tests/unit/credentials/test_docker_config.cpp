#include "executor/credentials/docker_config.hpp"
#include "executor/support/error.hpp"
#include "tests/support/catch.hpp"

using namespace berth;

TEST_CASE("a configuration's auths, helpers and store") {
  // dXNlcjpwYTpzcw== is "user:pa:ss", dToAcAA= is "u:\0p\0".
  const auto config = credentials::parse_docker_config(
      R"({"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpwYTpzcw=="},
          "b":{"username":"u","password":"p","email":"x"},"c":{"identitytoken":"t","auth":"dToAcAA="},"d":{}},
          "credsStore":"desktop","credHelpers":{"gcr.io":"gcloud"},"HttpHeaders":{"X":"y"}})",
      "file");
  REQUIRE(config.auths.size() == 4);
  const auto& b = config.auths[0].server == "b" ? config.auths[0] : config.auths[1];
  CHECK(b.username == "u");
  CHECK(b.password.expose() == "p");
  for (const auto& auth : config.auths) {
    if (auth.server == "https://index.docker.io/v1/") {
      CHECK(auth.username == "user");
      CHECK(auth.password.expose() == "pa:ss");
    }
    if (auth.server == "c") {
      CHECK(auth.identity_token.expose() == "t");
      CHECK(auth.password.expose() == "p");
    }
  }
  CHECK(config.creds_store == "desktop");
  CHECK(config.cred_helpers.at("gcr.io") == "gcloud");
}

TEST_CASE("the older file has the auths alone") {
  const auto config = credentials::parse_docker_config(
      R"({"https://r.example.com":{"auth":"dXNlcjpwYXNz","email":""}})", "file");
  REQUIRE(config.auths.size() == 1);
  CHECK(config.auths[0].server == "https://r.example.com");
  CHECK(config.auths[0].username == "user");
  CHECK(credentials::parse_docker_config("{}", "file").auths.empty());
}

TEST_CASE("what is no configuration is refused without quoting it") {
  const std::string text =
      GENERATE(R"({"auths":{"r":{"auth":"S3CRET!"}}})", R"({"auths":{"r":{"auth":"UzNDUkVU"}}})",
               R"({"auths":{"r":{"password":["S3CRET"]}}})", R"({"auths":["S3CRET"]})",
               R"({"auths":{"r":"S3CRET"}})", R"({"credHelpers":{"r":7}})",
               R"({"credHelpers":"S3CRET"})", R"(["S3CRET"])", R"({"auths":{"r":{"auth":"S3CRET)");
  INFO(text);
  try {
    credentials::parse_docker_config(text, "$VARIABLE");
    FAIL("no error");
  } catch (const support::SystemError& error) {
    CHECK_THAT(error.what(), ContainsSubstring("$VARIABLE"));
    CHECK_THAT(error.what(), !ContainsSubstring("S3CRET"));
    CHECK_THAT(error.what(), !ContainsSubstring("UzNDUkVU"));
  }
}

TEST_CASE("a helper's replies") {
  const auto login = credentials::parse_helper_reply(
      R"({"ServerURL":"r","Username":"u","Secret":"s"})", "r", "helper");
  REQUIRE(login.has_value());
  CHECK(login->username == "u");
  CHECK(login->password.expose() == "s");
  const auto token =
      credentials::parse_helper_reply(R"({"Username":"<token>","Secret":"s"})", "r", "helper");
  REQUIRE(token.has_value());
  CHECK(token->username.empty());
  CHECK(token->identity_token.expose() == "s");
  CHECK_FALSE(credentials::parse_helper_reply("{}", "r", "helper").has_value());
  CHECK(credentials::parse_helper_list(R"({"a":"u","b":"v"})", "helper") ==
        std::vector<std::string>{"a", "b"});
  CHECK_THROWS_AS(credentials::parse_helper_list("[]", "helper"), support::SystemError);
}

TEST_CASE("servers become registry paths") {
  // Rows 1-8 as gitlab-runner's own tests expect them (auth_test.go).
  CHECK(credentials::registry_path("https://index.docker.io/v1/") == "docker.io");
  CHECK(credentials::registry_path("http://index.docker.io/v1/") == "docker.io");
  CHECK(credentials::registry_path("https://registry.DOMAIN.tld:5005/v1/") ==
        "registry.domain.tld:5005");
  CHECK(credentials::registry_path("HTTPS://a.b/c") == "a.b");
  CHECK(credentials::registry_path("registry.domain.tld:5005") == "registry.domain.tld:5005");
  CHECK(credentials::registry_path("registry.domain.tld:5005/Path/Image:tag") ==
        "registry.domain.tld:5005/Path/Image");
  CHECK(credentials::registry_path("REGISTRY.tld/path/") == "registry.tld/path");
  CHECK(credentials::registry_path("docker.io") == "docker.io");
  CHECK(credentials::registry_path("index.docker.io") == "docker.io");
  CHECK(credentials::registry_path("") == "");
}

TEST_CASE("images become registry paths") {
  CHECK(credentials::image_path("debian") == "docker.io/debian");
  CHECK(credentials::image_path("debian:12") == "docker.io/debian");
  CHECK(credentials::image_path("a/b:1") == "docker.io/a/b");
  CHECK(credentials::image_path("docker.io/library/debian") == "docker.io/library/debian");
  CHECK(credentials::image_path("index.docker.io/a/b") == "docker.io/a/b");
  CHECK(credentials::image_path("Registry.tld:5000/A/b:tag") == "registry.tld:5000/A/b");
  CHECK(credentials::image_path("registry.tld/a@sha256:" + std::string(64, 'a')) ==
        "registry.tld/a");
  CHECK(credentials::image_path("localhost/a:1") == "localhost/a");
}
