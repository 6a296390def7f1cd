#include "executor/docker/engine/image_pull.hpp"
#include "executor/support/base64.hpp"
#include "tests/integration/docker_engine/engine_under_test.hpp"
#include "tests/integration/docker_engine/tiny_registry.hpp"
#include "tests/support/catch.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <mutex>
#include <netinet/in.h>

using namespace berth;
using tests::EngineUnderTest;
using tests::TinyRegistry;

namespace {

class Lines final : public core::Console {
 public:
  void line(std::string_view text) override { add(text); }
  void warning(std::string_view text) override { add(text); }
  bool has(const std::string& text) {
    const std::lock_guard lock(m_mutex);
    return m_all.find(text) != std::string::npos;
  }

 private:
  void add(std::string_view text) {
    const std::lock_guard lock(m_mutex);
    m_all.append(text).append("\n");
  }
  std::mutex m_mutex;
  std::string m_all;
};

bool inside(std::uint32_t address, const std::string& cidr) {
  const std::size_t slash = cidr.find('/');
  in_addr net{};
  if (slash == std::string::npos || ::inet_pton(AF_INET, cidr.substr(0, slash).c_str(), &net) != 1)
    return false;
  const int bits = std::stoi(cidr.substr(slash + 1));
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return (address & mask) == (ntohl(net.s_addr) & mask);
}

/// An address of this machine in a range the engine speaks plain HTTP to; ""
/// where there is none. The loopback range only helps an engine that shares it.
std::string trusted_address(docker::Engine& engine) {
  const auto http = net::make_http_client(engine.address().http);
  const auto info = nlohmann::json::parse(http->send({.target = "/info"}, {}).body);
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return "";
  std::string found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    const in_addr address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr;
    const bool loopback = (ntohl(address.s_addr) >> 24) == 127;
    if (loopback && (!found.empty() || !engine.address().is_unix())) continue;
    for (const auto& cidr : info["RegistryConfig"]["InsecureRegistryCIDRs"]) {
      std::array<char, INET_ADDRSTRLEN> text{};
      if (inside(ntohl(address.s_addr), cidr.get<std::string>()))
        found = ::inet_ntop(AF_INET, &address, text.data(), text.size());
    }
  }
  ::freeifaddrs(list);
  return found;
}

std::string auth_config(const std::string& server, const std::string& password) {
  const std::string auth =
      support::base64_encode(std::string(TinyRegistry::k_user) + ":" + password);
  return nlohmann::json{{"auths", {{server, {{"auth", auth}}}}}}.dump();
}

struct Pulls {
  EngineUnderTest engine;
  std::string address = trusted_address(*engine);
  std::unique_ptr<TinyRegistry> registry =
      address.empty() ? nullptr : std::make_unique<TinyRegistry>(address);
  std::unique_ptr<process::ProcessRunner> processes = process::make_process_runner();
  Lines console;
  credentials::LoginSources sources;

  Pulls() {
    if (!registry || !reachable())
      tests::leave_out("the engine reaches no address of this machine as a plain HTTP registry");
  }
  ~Pulls() {
    if (!registry) return;
    const auto http = net::make_http_client(engine->address().http);
    http->send({.method = "DELETE", .target = "/images/" + registry->image() + "?force=1"}, {});
  }

  /// An engine with a network of its own has another loopback.
  bool reachable() {
    try {
      engine->pull_image({.image = registry->image()}, {}, {});
    } catch (const docker::PullError& error) {
      return error.kind() != docker::PullFailure::network;
    }
    return true;
  }

  docker::ImageInfo ensure(const std::string& policy, const std::string& tag = "1") {
    const auto load = [&] {
      return credentials::load_registry_logins(sources, *processes, [](const std::string&) {}, {});
    };
    return docker::ensure_images(
               *engine, {{.image = registry->image(tag), .policies = {policy}}}, load, console,
               {.budget = std::chrono::seconds(20),
                .backoff = {std::chrono::milliseconds(50), std::chrono::milliseconds(500)}},
               {})
        .at(0)
        .info;
  }
  std::string failure(const std::string& tag = "1") {
    try {
      ensure("always", tag);
    } catch (const support::Error& error) {
      CHECK(error.fault() == support::Fault::job);
      return error.what();
    }
    FAIL("no error");
    return "";
  }
};

}  // namespace

TEST_CASE("a registry that wants a password: none, a wrong one, the right one") {
  Pulls pulls;
  CHECK_THAT(pulls.failure(), ContainsSubstring("no basic auth credentials"));
  pulls.sources.payload.resize(1);
  pulls.sources.payload[0].url = pulls.registry->host();
  pulls.sources.payload[0].username = TinyRegistry::k_user;
  pulls.sources.payload[0].password = support::Secret("wrong");
  CHECK_THAT(pulls.failure(), ContainsSubstring("auth"));
  CHECK(pulls.registry->manifests() == 0);

  SECTION("of the variable, which comes before the payload") {
    pulls.sources.auth_config = support::Secret(
        auth_config("http://" + pulls.registry->host() + "/v1/", TinyRegistry::k_password));
    CHECK(pulls.ensure("always").os == "linux");
    CHECK(pulls.console.has("Authenticating with credentials from $DOCKER_AUTH_CONFIG"));
  }
  SECTION("of a longer path, which comes before the variable's shorter one") {
    pulls.sources.auth_config = support::Secret(auth_config(pulls.registry->host(), "wrong"));
    pulls.sources.payload[0].url = pulls.registry->host() + "/group";
    pulls.sources.payload[0].password = support::Secret(TinyRegistry::k_password);
    CHECK(pulls.ensure("always").os == "linux");
    CHECK(pulls.console.has("Authenticating with credentials from job payload"));
  }
}

TEST_CASE("policies on a real registry, what is not there, and an overloaded one") {
  Pulls pulls;
  pulls.sources.auth_config =
      support::Secret(auth_config(pulls.registry->host(), TinyRegistry::k_password));
  const std::string id = pulls.ensure("if-not-present").id;
  const unsigned asked = pulls.registry->manifests();
  CHECK(asked > 0);
  CHECK(pulls.ensure("if-not-present").id == id);
  CHECK(pulls.ensure("never").id == id);
  CHECK(pulls.registry->manifests() == asked);
  CHECK(pulls.ensure("always").id == id);
  CHECK(pulls.registry->manifests() > asked);
  CHECK_THAT(pulls.failure("absent"), ContainsSubstring("manifest unknown"));
  pulls.registry->be_overloaded(2);
  CHECK(pulls.ensure("always").id == id);
  CHECK(pulls.console.has("failed and is tried again"));
}
