#include "executor/kubernetes/api/proxy.hpp"
#include "tests/support/catch.hpp"

#include <map>

using namespace berth;

namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

std::string proxy(const std::string& url, const Variables& variables) {
  const settings::GetEnv getenv = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return std::string(kubernetes::proxy_for(url, getenv).expose());
}

}  // namespace

TEST_CASE("The proxy goes by the URL's scheme, and upper case goes first") {
  const Variables both{
      {"HTTPS_PROXY", "http://a"}, {"https_proxy", "http://b"}, {"http_proxy", "c:3128"}};
  CHECK(proxy("https://api:6443", both) == "http://a");
  CHECK(proxy("http://api:8080", both) == "http://c:3128");
  CHECK(proxy("https://api", {{"https_proxy", "http://b"}}) == "http://b");
  CHECK(proxy("https://api", {}).empty());
  CHECK(proxy("https://api", {{"HTTP_PROXY", "http://a"}}).empty());
}

TEST_CASE("This machine is never asked for through a proxy") {
  const Variables set{{"HTTPS_PROXY", "http://a"}};
  CHECK(proxy("https://localhost:6443", set).empty());
  CHECK(proxy("https://127.0.0.5", set).empty());
  CHECK(proxy("https://[::1]:6443", set).empty());
  CHECK(proxy("https://[::2]:6443", set) == "http://a");
}

TEST_CASE("NO_PROXY takes servers out as Go's programs read it") {
  struct Row {
    const char* url;
    const char* no_proxy;
    bool direct;
  };
  const auto row = GENERATE(values<Row>({
      {"https://api.example.com", "*", true},
      {"https://api.example.com", "example.com", true},
      {"https://example.com", "example.com", true},
      {"https://badexample.com", "example.com", false},
      {"https://api.example.com", ".example.com", true},
      {"https://example.com", ".example.com", false},
      {"https://example.com", "*.example.com", false},
      {"https://api.example.com", "*.example.com", true},
      {"https://API.Example.com", "api.EXAMPLE.com", true},
      {"https://api.example.com:6443", "example.com:6443", true},
      {"https://api.example.com:6443", "example.com:443", false},
      {"https://api.example.com", "example.com:443", true},
      {"https://10.96.0.1", "a, 10.96.0.0/12 ,b", true},
      {"https://10.112.0.1", "10.96.0.0/12", false},
      {"https://10.96.0.1:6443", "10.96.0.1", true},
      {"https://10.96.0.1:6443", "10.96.0.1:443", false},
      {"https://[fd00::1]:6443", "fd00::/8", true},
      {"https://[fd00::1]:6443", "fd00::1", true},
      {"https://[fd00::1]:6443", "[fd00::1]:6443", true},
      {"https://api.example.com", "10.0.0.0/0", false},
      {"https://10.0.0.1", "10.0.0.0/99", false},
      {"https://10.0.0.1", "10.0.0.0/", false},
      {"https://10.0.0.1", ",,", false},
  }));
  CAPTURE(row.url, row.no_proxy);
  CHECK(proxy(row.url, {{"HTTPS_PROXY", "http://a"}, {"NO_PROXY", row.no_proxy}}).empty() ==
        row.direct);
}
