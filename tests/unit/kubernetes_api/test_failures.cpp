#include "executor/kubernetes/api/failures.hpp"
#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace berth;
using namespace berth::kubernetes;
using support::Fault;

namespace {

ApiError error_of(int code, const std::string& reason, const std::string& message) {
  const Connection connection{.base_url = "https://api:6443", .source = "the settings"};
  return refused(connection, "create pod 'ci/p'",
                 {.code = code, .reason = reason, .message = message});
}

}  // namespace

TEST_CASE("A refusal is told apart by whose matter it is") {
  const ApiError quota = error_of(403, "Forbidden",
                                  "pods \"p\" is forbidden: exceeded quota: q, requested: pods=1, "
                                  "used: pods=1, limited: pods=1");
  CHECK(quota.is_quota());
  CHECK_FALSE(quota.is_rbac());
  CHECK_FALSE(quota.is_admission());
  CHECK(quota.fault() == Fault::infrastructure);

  const ApiError rbac = error_of(
      403, "Forbidden",
      "pods is forbidden: User \"system:serviceaccount:ci:x\" cannot create resource \"pods\" in "
      "API group \"\" in the namespace \"ci\"");
  CHECK(rbac.is_rbac());
  CHECK(rbac.fault() == Fault::operator_);
  CHECK_THAT(rbac.hint(), ContainsSubstring("runner-config/kubernetes"));

  const ApiError security = error_of(403, "Forbidden",
                                     "pods \"p\" is forbidden: violates PodSecurity "
                                     "\"restricted:latest\": runAsNonRoot != true");
  CHECK(security.is_admission());
  CHECK(security.fault() == Fault::operator_);

  const ApiError webhook = error_of(
      400, "", "admission webhook \"policy.example.com\" denied the request: no latest tag");
  CHECK(webhook.is_admission());

  const ApiError ending = error_of(
      403, "Forbidden",
      "pods \"p\" is forbidden: unable to create new content in namespace ci because it is being "
      "terminated");
  CHECK(ending.namespace_terminating());
  CHECK_FALSE(ending.is_admission());

  CHECK(error_of(404, "NotFound", "namespaces \"ci\" not found").fault() == Fault::operator_);
  CHECK(error_of(404, "NotFound", "pods \"p\" not found").fault() == Fault::infrastructure);
  CHECK(error_of(422, "Invalid", "Pod \"p\" is invalid: spec").invalid());
  CHECK(error_of(503, "", "x").fault() == Fault::infrastructure);
}

TEST_CASE("A Status is read whole") {
  const ApiStatus status = read_status(net::HttpResponse{
      .status = 422,
      .headers = {},
      .body = R"({"kind":"Status","status":"Failure","reason":"Invalid","code":422,
                  "message":"Pod \"p\" is\n invalid.","details":{"retryAfterSeconds":3,
                  "causes":[{"reason":"FieldValueInvalid","message":"bad","field":"spec.x"},1]}})"});
  CHECK(status.code == 422);
  CHECK(status.reason == "Invalid");
  CHECK(status.message == "Pod \"p\" is invalid");
  REQUIRE(status.causes.size() == 1);
  CHECK(status.causes[0].field == "spec.x");
  CHECK(status.retry_after == std::chrono::seconds(3));
}

TEST_CASE("A page of a proxy is an answer too") {
  const ApiStatus status = read_status(net::HttpResponse{
      .status = 502, .headers = {{"Retry-After", "2"}}, .body = "<html>\n<b>Bad Gateway</b>"});
  CHECK(status.message == "status 502: <html> <b>Bad Gateway</b>");
  CHECK(status.reason.empty());
  CHECK(status.retry_after == std::chrono::seconds(2));
  CHECK(read_status(net::HttpResponse{.status = 500}).message == "status 500");
  CHECK(read_status(net::HttpResponse{.status = 500, .headers = {}, .body = "[1]"}).message ==
        "status 500: [1]");
  CHECK(read_status(0, nlohmann::json::parse(R"({"code":99999999999,"message":1})")).message ==
        "status 0");
}
