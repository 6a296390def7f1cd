// kubectl's configuration (clientcmd/v1 Config), YAML or JSON.

#include "executor/credentials/pem.hpp"
#include "executor/credentials/types/recognise.hpp"
#include "executor/credentials/words.hpp"
#include "executor/credentials/x509.hpp"
#include "executor/settings/document.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace berth::credentials {
namespace {

using settings::Value;
using support::Secret;

const Value* find(const Value* map, std::string_view key) {
  if (map == nullptr) return nullptr;
  const auto found = std::ranges::find(map->entries, key, &Value::Entry::key);
  if (found == map->entries.end() || found->value.kind == Value::Kind::null) return nullptr;
  return &found->value;
}

std::string text_of(const Value* map, std::string_view key) {
  const Value* value = find(map, key);
  return value == nullptr ? std::string() : value->scalar;
}

/// The entry of that name in a list of {name: ..., <inner>: {...}}.
const Value* named(const Value* list, std::string_view name, std::string_view inner) {
  if (list == nullptr) return nullptr;
  for (const Value& item : list->items)
    if (text_of(&item, "name") == name) return find(&item, inner);
  return nullptr;
}

/// What is secret in all of a configuration's users.
class SecretParts {
 public:
  explicit SecretParts(std::vector<Secret>& secrets) : m_secrets(secrets) {}

  void add_user(const Value* user) {
    for (const char* key : {"token", "password"}) add(text_of(user, key));
    add_key(text_of(user, "client-key-data"));
    const Value* provider = find(find(user, "auth-provider"), "config");
    for (const char* key : {"access-token", "id-token", "refresh-token", "client-secret"})
      add(text_of(provider, key));
    if (const Value* environment = find(find(user, "exec"), "env"))
      for (const Value& variable : environment->items) add_variable(variable);
  }

 private:
  void add(std::string text) {
    if (!text.empty()) m_secrets.emplace_back(std::move(text));
  }

  void add_key(const std::string& encoded) {
    const Secret pem_text(support::read_base64(encoded).bytes);
    for (const PemBlock& block : read_pem(pem_text.expose()).blocks)
      if (block.is_private()) m_secrets.emplace_back(block.body());
    add(encoded);
  }

  void add_variable(const Value& variable) {
    const std::string name = text_of(&variable, "name");
    for (const char* word : {"TOKEN", "SECRET", "PASSWORD", "KEY"}) {
      if (name.find(word) == std::string::npos) continue;
      return add(text_of(&variable, "value"));
    }
  }

  std::vector<Secret>& m_secrets;
};

/// Looks at what the current context needs.
class Verification {
 public:
  Verification(Credential& credential, std::chrono::sys_seconds now)
      : m_credential(credential), m_now(now) {}

  void look_at(const Value& config) {
    const std::string context_name = text_of(&config, "current-context");
    check_references(config);
    if (context_name.empty()) return problem("no current-context");
    const Value* context = named(find(&config, "contexts"), context_name, "context");
    if (context == nullptr)
      return problem(fmt::format("current-context '{}' is not there", shown(context_name)));
    const std::string user_name = text_of(context, "user");
    const Value* cluster = named(find(&config, "clusters"), text_of(context, "cluster"), "cluster");
    const std::string server = text_of(cluster, "server");
    m_credential.subject =
        fmt::format("user '{}' at {} (context '{}')", shown(user_name),
                    server.empty() ? "no server" : shown_url(server), shown(context_name));
    if (cluster != nullptr) look_at_cluster(cluster, server);
    if (const Value* user = named(find(&config, "users"), user_name, "user")) look_at_user(user);
  }

 private:
  void problem(std::string text) { m_credential.problems.push_back(std::move(text)); }
  void note(std::string text) { m_credential.notes.push_back(std::move(text)); }

  /// Of every context, not only the current one.
  void check_references(const Value& config) {
    const Value* contexts = find(&config, "contexts");
    if (contexts == nullptr || contexts->items.empty()) return problem("no contexts");
    for (const Value& item : contexts->items) {
      const Value* context = find(&item, "context");
      for (const auto& [key, list] :
           {std::pair{"cluster", "clusters"}, std::pair{"user", "users"}}) {
        const std::string name = text_of(context, key);
        if (named(find(&config, list), name, key) == nullptr)
          problem(fmt::format("context '{}': {} '{}' is not there", shown(text_of(&item, "name")),
                              key, shown(name)));
      }
    }
  }

  void look_at_cluster(const Value* cluster, const std::string& server) {
    if (!server.starts_with("https://") && !server.starts_with("http://"))
      problem("the cluster's server is not a URL");
    if (text_of(cluster, "insecure-skip-tls-verify") == "true")
      note("the server's certificate is not checked");
    look_at_certificates(cluster, "certificate-authority-data");
    look_at_file(cluster, "certificate-authority");
  }

  void look_at_user(const Value* user) {
    const auto certificate = look_at_certificates(user, "client-certificate-data");
    if (find(user, "client-key-data") != nullptr)
      look_at_key(user, certificate);
    else if (certificate && find(user, "client-key") == nullptr)
      problem("client-certificate-data without a key");
    for (const char* key : {"client-certificate", "client-key", "tokenFile"})
      look_at_file(user, key);
    if (const Value* exec = find(user, "exec"))
      note(fmt::format("needs the program '{}'", shown(text_of(exec, "command"))));
    if (const Value* provider = find(user, "auth-provider"))
      note(fmt::format("auth-provider '{}': gone since kubectl 1.26",
                       shown(text_of(provider, "name"))));
    constexpr std::array<std::string_view, 8> k_ways{"client-certificate-data",
                                                     "client-certificate",
                                                     "token",
                                                     "tokenFile",
                                                     "username",
                                                     "exec",
                                                     "password",
                                                     "auth-provider"};
    const bool any = std::ranges::any_of(
        k_ways, [&](std::string_view key) { return find(user, key) != nullptr; });
    if (!any) problem("its user has no credential");
  }

  /// A file that is not within: the job's image would have to have it.
  void look_at_file(const Value* map, std::string_view key) {
    if (const std::string file = text_of(map, key); !file.empty())
      note(fmt::format("{} is the file '{}'", key, shown(file)));
  }

  /// The first certificate of the key; problems where it has none.
  std::optional<Certificate> look_at_certificates(const Value* map, std::string_view key) {
    std::optional<Certificate> first;
    const auto blocks = pem_of(map, key);
    for (const PemBlock& block : blocks) {
      auto certificate = Certificate::parse(block.der.expose());
      if (!certificate) {
        problem(fmt::format("{} holds no certificate", key));
        continue;
      }
      note_expiry(m_credential, key, certificate->not_after(), m_now);
      if (!first) first = std::move(certificate);
    }
    return first;
  }

  void look_at_key(const Value* user, const std::optional<Certificate>& certificate) {
    for (const PemBlock& block : pem_of(user, "client-key-data")) {
      if (!block.is_private()) continue;
      const auto key = PrivateKey::parse(block.der.expose());
      if (!key) return problem("client-key-data cannot be read");
      if (certificate && !key->belongs_to(*certificate))
        problem("client-key-data does not belong to client-certificate-data");
      return;
    }
  }

  std::vector<PemBlock> pem_of(const Value* map, std::string_view key) {
    const Value* value = find(map, key);
    if (value == nullptr) return {};
    support::Base64Reading reading = support::read_base64(value->scalar);
    const Secret text(std::move(reading.bytes));
    if (reading.end != support::Base64Reading::End::whole) {
      problem(fmt::format("{} is not whole base64", key));
      return {};
    }
    PemText pem = read_pem(text.expose());
    if (pem.end != PemText::End::whole || pem.blocks.empty())
      problem(fmt::format("{} is not whole PEM", key));
    return std::move(pem.blocks);
  }

  Credential& m_credential;
  std::chrono::sys_seconds m_now;
};

/// Where "<name>:<line>:<column>: ..." says.
long line_of(std::string_view message, std::string_view name) {
  long line = 0;
  if (message.starts_with(name)) {
    message.remove_prefix(std::min(name.size() + 1, message.size()));
    std::from_chars(message.data(), message.data() + message.size(), line);
  }
  return line;
}

}  // namespace

Recognised recognise_kubeconfig(std::string_view text, std::chrono::sys_seconds now) {
  if (!is_parsable(text)) return {};
  constexpr std::string_view k_name = "kubeconfig";
  // What other objects of Kubernetes have not.
  const bool looks_so = text.find("clusters") != std::string_view::npos;
  Value config;
  try {
    config = settings::read_document(text, k_name);
  } catch (const support::Error& error) {
    if (!looks_so) return {};
    const long line = line_of(error.what(), k_name);
    const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    if (line >= lines) return damaged(Verdict::truncated, "the YAML ends too early");
    return damaged(Verdict::garbage, fmt::format("line {} is not YAML", line));
  }
  if (config.kind != Value::Kind::map) return {};
  const std::string kind = text_of(&config, "kind");
  if ((!kind.empty() && kind != "Config") ||
      (find(&config, "clusters") == nullptr && find(&config, "users") == nullptr))
    return {};
  Credential credential;
  credential.type = Type::kubeconfig;
  if (const Value* users = find(&config, "users")) {
    SecretParts parts(credential.secrets);
    for (const Value& item : users->items) parts.add_user(find(&item, "user"));
  }
  Verification(credential, now).look_at(config);
  return settled(std::move(credential));
}

}  // namespace berth::credentials
