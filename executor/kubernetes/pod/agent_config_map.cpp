#include "executor/kubernetes/pod/agent_config_map.hpp"

#include "executor/kubernetes/pod/names.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"
#include "executor/support/version.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>

#include <array>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

std::string digest(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  std::string text;
  for (std::size_t i = 0; i < 6; ++i) text += fmt::format("{:02x}", hash.at(i));
  return text;
}

}  // namespace

std::string agent_config_map_name(std::string_view program, std::string_view architecture) {
  return fmt::format("berth-agent-{}-{}", architecture, digest(program));
}

json agent_config_map(std::string_view program, std::string_view architecture) {
  if (program.size() > k_config_map_limit) {
    throw support::OperatorError(
        fmt::format("the agent does not fit into a ConfigMap: berth-agent for {} has {} bytes, "
                    "the limit is {}",
                    architecture, program.size(), k_config_map_limit),
        "install a release build of berth-agent, or set kubernetes.agent_image in berth.yaml");
  }
  // No label of an attempt: neither cleanup nor the sweep takes it.
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata",
           {{"name", agent_config_map_name(program, architecture)},
            {"labels",
             {{std::string(k_label_managed), "true"},
              {std::string(k_label_type), "agent"},
              {std::string(k_label_version), support::version()}}}}},
          {"immutable", true},
          {"binaryData", {{std::string(k_agent_key), support::base64_encode(program)}}}};
}

bool is_agent_config_map(const json& object, std::string_view program,
                         std::string_view architecture) {
  if (!object.is_object()) return false;
  const json wanted = agent_config_map(program, architecture);
  const auto same = [&](const char* key) {
    const auto found = object.find(key);
    return found != object.end() && *found == wanted.at(key);
  };
  const auto data = object.find("data");
  const auto metadata = object.find("metadata");
  return same("immutable") && same("binaryData") && (data == object.end() || data->empty()) &&
         metadata != object.end() && metadata->is_object() &&
         metadata->value("name", json()) == wanted.at("metadata").at("name");
}

}  // namespace berth::kubernetes
