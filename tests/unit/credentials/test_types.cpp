// What each kind of file says of itself, and what is wrong with it.

#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/credentials/samples.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

using namespace berth::credentials;
using namespace berth::credentials::test;
using berth::support::base64_encode;

namespace {

std::string problems_of(const std::string& text) {
  const Finding finding = examine(text, k_today);
  if (!finding.credential) return "(" + finding.diagnosis() + ")";
  std::string all;
  for (const std::string& problem : finding.credential->problems)
    all += (all.empty() ? "" : "; ") + problem;
  return all;
}

std::string diagnosis_of(const std::string& text) {
  return examine(text, k_today).diagnosis();
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("a diagnosis says how it was encoded, whose it is and until when") {
  std::string text = sample("service account").text;
  const std::string diagnosis = diagnosis_of(wrapped(base64_encode(text), 76));
  CHECK_THAT(diagnosis, StartsWith("base64 wrapped at 76 columns; "));
  CHECK_THAT(diagnosis, ContainsSubstring(
                            " bytes; service account deployer@shop-prod.iam.gserviceaccount.com; "
                            "key id ...1a2b"));
  CHECK(diagnosis.find("newline") == std::string::npos);
  text.pop_back();
  CHECK_THAT(diagnosis_of(base64_encode(text)), EndsWith("no trailing newline"));
  CHECK_THAT(diagnosis_of(sample("kubeconfig").text),
             ContainsSubstring("kubeconfig user 'deployer' at https://k8s.example.com:6443 "
                               "(context 'prod'); valid until 2027-06-15"));
  CHECK_THAT(diagnosis_of(sample("docker config").text),
             ContainsSubstring("Docker configuration for hub.example.com, registry.example.com; "
                               "'registry.example.com' is there in two spellings; needs the "
                               "program 'docker-credential-gcloud'"));
  CHECK_THAT(diagnosis_of(sample("ssh key").text), ContainsSubstring("ssh-ed25519 SHA256:"));
  CHECK_THAT(diagnosis_of(sample("private key").text),
             ContainsSubstring("private key EC prime256v1"));
  CHECK_THAT(diagnosis_of(sample("key and certificate").text),
             ContainsSubstring("EC prime256v1 of CN=www.example.com; valid until 2027-06-15"));
  CHECK_THAT(diagnosis_of(sample("aws").text), ContainsSubstring("key id ...LE7Q"));
  CHECK_THAT(diagnosis_of(sample("netrc").text), ContainsSubstring("netrc for git.example.com"));
  CHECK_THAT(diagnosis_of(sample("npmrc").text), ContainsSubstring("npmrc for npm.example.com"));
  CHECK_THAT(diagnosis_of(sample("jwt").text),
             ContainsSubstring("JWT for 'project_path:shop' of https://gitlab.example.com; valid "
                               "until 2026-09-21"));
}

TEST_CASE("a kubeconfig needs a context, and what it names") {
  const std::string good = sample("kubeconfig").text;
  CHECK(problems_of(good).empty());
  CHECK(problems_of(replaced(good, "current-context: prod\n", "")) == "no current-context");
  CHECK(problems_of(replaced(good, "current-context: prod", "current-context: test")) ==
        "current-context 'test' is not there");
  CHECK(problems_of(replaced(good, "    cluster: main", "    cluster: other")) ==
        "context 'prod': cluster 'other' is not there");
  CHECK(problems_of(replaced(good, "    user: deployer", "    user: nobody")) ==
        "context 'prod': user 'nobody' is not there");
  CHECK(problems_of(replaced(good, "https://k8s", "k8s")) == "the cluster's server is not a URL");
  CHECK(problems_of(replaced(good, "    client-key-data: ", "    x: ")) ==
        "client-certificate-data without a key");
  const Identity expired = make_identity("deployer", -30);
  CHECK(problems_of(kubeconfig_text(expired, "", "")) ==
        "client-certificate-data expired on 2026-05-16");
  const Identity mixed{.key = make_identity("a").key,
                       .certificate = make_identity("b").certificate};
  CHECK(problems_of(kubeconfig_text(mixed, mixed.certificate, "")) ==
        "client-key-data does not belong to client-certificate-data");
  CHECK_THAT(diagnosis_of(replaced(replaced(good, "https://k8s", "https://me:pw1234@k8s"),
                                   "    client-certificate-data",
                                   "    exec: {command: aws}\n    client-certificate-data")),
             ContainsSubstring("at https://k8s.example.com:6443") &&
                 ContainsSubstring("needs the program 'aws'"));
}

TEST_CASE("a service account's key must be one") {
  auto json = nlohmann::json::parse(sample("service account").text);
  auto bad = json;
  bad.erase("client_email");
  CHECK(problems_of(bad.dump()) == "no client_email");
  bad = json;
  bad["private_key"] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  CHECK(problems_of(bad.dump()) == "private_key cannot be read");
  bad["private_key"] = "canaryNotPem";
  CHECK(problems_of(bad.dump()) == "private_key is not one whole PEM key");
  bad = json;
  bad.erase("type");
  CHECK(problems_of(bad.dump()) == "no type");
}

TEST_CASE("keys and chains must fit") {
  const Identity web = make_identity("www.example.com");
  const Identity other = make_identity("other.example.com");
  const Identity old = make_identity("old.example.com", -1);
  CHECK(problems_of(web.key + other.certificate) == "the key belongs to none of the certificates");
  CHECK(problems_of(web.key + other.certificate + web.certificate) ==
        "the key's certificate does not stand first");
  CHECK(problems_of(old.certificate) == "the certificate expired on 2026-06-14");
  CHECK(problems_of("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n") ==
        "the private key cannot be read");
  CHECK_THAT(diagnosis_of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END CERTIFICATE-----\n"),
             StartsWith("garbage: PEM PRIVATE KEY: another END line follows"));
}

TEST_CASE("a PEM text is put into lines again") {
  const std::string good = sample("private key").text;
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"\n", "\\n"},
                                 {"\n", " "},
                                 {"\n", "\r\n"},
                                 {"\n", "\\r\\n"}}) {
    std::string text;
    for (const char c : good) text += c == '\n' ? to : std::string(1, c);
    const Finding finding = examine(text, k_today);
    INFO(to << ": " << finding.diagnosis());
    REQUIRE(finding.credential);
    CHECK(finding.credential->content.expose() == good);
  }
}

TEST_CASE("an SSH key's structure is looked at") {
  const auto body = [](const std::string& bytes) {
    return "-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64_encode(bytes) +
           "\n-----END OPENSSH PRIVATE KEY-----\n";
  };
  CHECK(problems_of(body("something else")) == "the SSH key is of no known format");
  CHECK(problems_of(body(std::string("openssh-key-v1\0\0\0\0\4none", 23))) == "the SSH key is cut");
}

TEST_CASE("a Docker configuration's entries are looked at one by one") {
  CHECK(problems_of(R"({"auths":{"a.example.com":{"auth":"not base64!"},"b.example.com":{}}})") ==
        "'a.example.com': its auth is not base64 of user:password");
  CHECK_THAT(diagnosis_of(R"({"auths":{"b.example.com":{}}})"),
             ContainsSubstring("'b.example.com' has no login"));
  CHECK_THAT(diagnosis_of(R"({"auths":{}})"), ContainsSubstring("no logins"));
}

TEST_CASE("files of lines say what is missing") {
  CHECK(problems_of("[ci]\naws_access_key_id=AKIAEXAMPLEEXAMPLE7Q\n") ==
        "profile 'ci': no secret key");
  CHECK(problems_of("aws_access_key_id=ASIAEXAMPLEEXAMPLE7Q\n"
                    "aws_secret_access_key=0123456789012345678901234567890123456789\n") ==
        "no [profile] line stands first; profile '': no session token");
  CHECK(problems_of("machine a.example.com login me") == "'a.example.com' has no password");
  CHECK_THAT(problems_of("machine a.example.com login me password"),
             ContainsSubstring("truncated: nothing follows 'password'"));
  CHECK(problems_of("//npm.example.com/:_auth=bm9jb2xvbg==") ==
        "'npm.example.com': _auth is not base64 of a user:password");
  CHECK_THAT(
      diagnosis_of("//npm.example.com/:_authToken=${NPM_TOKEN}"),
      ContainsSubstring("'npm.example.com' takes _authToken from the variable ${NPM_TOKEN}"));
}

TEST_CASE("a JWT is looked at as far as it can be without its key") {
  const std::string good = sample("jwt").text;
  CHECK(examine(good, std::chrono::sys_seconds(std::chrono::seconds(1790000001)))
            .credential->problems == std::vector<std::string>{"it expired on 2026-09-21"});
  CHECK_THAT(diagnosis_of(good.substr(0, good.rfind('.'))),
             StartsWith("truncated: the JWT has no signature"));
  CHECK_THAT(diagnosis_of(good.substr(0, good.size() - 12)),
             StartsWith("truncated: the signature of the JWT is too short"));
  CHECK(problems_of("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.") == "it is not signed");
  CHECK(examine("eyJhIjoiYiJ9.eyJzdWIiOiJ4In0.abc", k_today).verdict == Verdict::none);
}
