#include "executor/kubernetes/api/server_version.hpp"

#include "executor/kubernetes/api/caller.hpp"

#include <nlohmann/json.hpp>

#include <ctime>

namespace berth::kubernetes {

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const std::string words(text);
  std::tm time{};
  const char* rest = ::strptime(words.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  return static_cast<std::int64_t>(::timegm(&time));
}

ServerVersion server_version(Client& client, std::stop_token stop) {
  const ApiCall call{.name = "get version", .request = {.target = "/version"}};
  const net::HttpResponse response = client.impl().caller.call(call, stop).response;
  const auto version = nlohmann::json::parse(response.body, nullptr, false);
  const bool known =
      version.is_object() && version.contains("gitVersion") && version["gitVersion"].is_string();
  if (!known) {
    throw support::OperatorError(
        client.describe() + ": what answers there is no Kubernetes API server",
        "look at the address in the settings or the kubeconfig, and at proxies in between");
  }
  return {.git_version = version["gitVersion"].get<std::string>(),
          .date = parse_http_date(response.header("Date"))};
}

}  // namespace berth::kubernetes
