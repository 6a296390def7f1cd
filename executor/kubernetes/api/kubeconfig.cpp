#include "executor/kubernetes/api/kubeconfig.hpp"

#include "executor/settings/document.hpp"
#include "executor/support/base64.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>

namespace berth::kubernetes {
namespace {

using settings::Value;

/// Takes values out of one file.
class FileReader {
 public:
  explicit FileReader(const std::filesystem::path& path) : m_path(path) {}

  [[noreturn]] void fail(settings::Position at, std::string_view why) const {
    throw support::OperatorError(
        fmt::format("{}:{}:{}: {}", m_path.string(), at.line, at.column, why),
        "this file is read as kubectl reads it: `kubectl config view` shows what is in it");
  }

  /// The value of a key, or nothing where it is missing or null.
  const Value* find(const Value& map, std::string_view key) const {
    if (map.kind == Value::Kind::null) return nullptr;
    if (map.kind != Value::Kind::map) fail(map.position, "a map is expected here");
    for (const Value::Entry& entry : map.entries) {
      if (entry.key == key) return entry.value.kind == Value::Kind::null ? nullptr : &entry.value;
    }
    return nullptr;
  }

  std::string text(const Value& map, std::string_view key) const {
    const Value* value = find(map, key);
    if (value == nullptr) return {};
    if (value->kind != Value::Kind::scalar)
      fail(value->position, fmt::format("'{}' must be a string", key));
    return value->scalar;
  }

  bool boolean(const Value& map, std::string_view key) const {
    const std::string word = text(map, key);
    if (word.empty() || word == "false") return false;
    if (word == "true") return true;
    fail(find(map, key)->position, fmt::format("'{}' must be true or false", key));
  }

  const std::vector<Value>& list(const Value& map, std::string_view key) const {
    static const std::vector<Value> k_none;
    const Value* value = find(map, key);
    if (value == nullptr) return k_none;
    if (value->kind != Value::Kind::list)
      fail(value->position, fmt::format("'{}' must be a list", key));
    return value->items;
  }

  std::vector<std::string> texts(const Value& map, std::string_view key) const {
    std::vector<std::string> words;
    for (const Value& item : list(map, key)) words.push_back(item_text(item, key));
    return words;
  }

  std::string item_text(const Value& item, std::string_view key) const {
    if (item.kind != Value::Kind::scalar)
      fail(item.position, fmt::format("'{}' must be a list of strings", key));
    return item.scalar;
  }

  std::string decoded(const Value& map, std::string_view key) const {
    const std::string encoded = text(map, key);
    std::optional<std::string> data = support::base64_decode(encoded);
    if (!data) fail(find(map, key)->position, fmt::format("'{}' is not base64", key));
    return std::move(*data);
  }

  std::filesystem::path file(const Value& map, std::string_view key) const {
    std::filesystem::path name = text(map, key);
    if (name.empty() || name.is_absolute()) return name;
    return (m_path.parent_path() / name).lexically_normal();
  }

  const std::filesystem::path& path() const { return m_path; }

 private:
  const std::filesystem::path& m_path;
};

/// Free content of an extension, for the exec plugin that wrote it.
nlohmann::json to_json(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      break;
    case Value::Kind::list: {
      nlohmann::json list = nlohmann::json::array();
      for (const Value& item : value.items) list.push_back(to_json(item));
      return list;
    }
    case Value::Kind::map: {
      nlohmann::json map = nlohmann::json::object();
      for (const Value::Entry& entry : value.entries) map[entry.key] = to_json(entry.value);
      return map;
    }
    case Value::Kind::scalar: {
      const std::string& text = value.scalar;
      if (value.quoted) return text;
      if (text == "true" || text == "false") return text == "true";
      std::int64_t number = 0;
      const char* end = text.data() + text.size();
      if (const auto [at, error] = std::from_chars(text.data(), end, number);
          error == std::errc() && at == end)
        return number;
      return text;
    }
  }
  return nullptr;
}

constexpr std::string_view k_exec_extension = "client.authentication.k8s.io/exec";

KubeCluster read_cluster(const FileReader& file, const Value& value) {
  KubeCluster cluster;
  cluster.server = file.text(value, "server");
  cluster.ca = {.data = file.decoded(value, "certificate-authority-data"),
                .file = file.file(value, "certificate-authority")};
  cluster.tls_server_name = file.text(value, "tls-server-name");
  cluster.proxy_url = support::Secret(file.text(value, "proxy-url"));
  cluster.insecure_skip_tls_verify = file.boolean(value, "insecure-skip-tls-verify");
  for (const Value& extension : file.list(value, "extensions")) {
    if (extension.kind != Value::Kind::map || file.text(extension, "name") != k_exec_extension)
      continue;
    if (const Value* content = file.find(extension, "extension"))
      cluster.exec_config =
          to_json(*content).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  return cluster;
}

void read_exec(const FileReader& file, const Value& value, KubeUser& user) {
  ExecPlugin plugin;
  plugin.api_version = file.text(value, "apiVersion");
  plugin.command = file.text(value, "command");
  if (plugin.command.empty()) file.fail(value.position, "'exec' needs a 'command'");
  // As kubectl: a name is looked for in PATH, a path is relative to the file.
  if (plugin.command.find('/') != std::string::npos)
    plugin.command = file.file(value, "command").string();
  plugin.args = file.texts(value, "args");
  plugin.install_hint = file.text(value, "installHint");
  for (const Value& item : file.list(value, "env"))
    plugin.env.emplace_back(file.text(item, "name"), file.text(item, "value"));
  user.exec_wants_cluster = file.boolean(value, "provideClusterInfo");
  user.exec_interactive = file.text(value, "interactiveMode");
  user.exec = std::move(plugin);
}

KubeUser read_user(const FileReader& file, const Value& value) {
  KubeUser user;
  user.certificate = {.data = file.decoded(value, "client-certificate-data"),
                      .file = file.file(value, "client-certificate")};
  user.key_data = support::Secret(file.decoded(value, "client-key-data"));
  user.key_file = file.file(value, "client-key");
  user.token = support::Secret(file.text(value, "token"));
  user.token_file = file.file(value, "tokenFile");
  user.basic_auth = !file.text(value, "username").empty() || !file.text(value, "password").empty();
  if (const Value* provider = file.find(value, "auth-provider")) {
    user.auth_provider = file.text(*provider, "name");
    if (user.auth_provider.empty()) user.auth_provider = "?";
  }
  if (const Value* exec = file.find(value, "exec")) read_exec(file, *exec, user);
  user.as = file.text(value, "as");
  user.as_uid = file.text(value, "as-uid");
  user.as_groups = file.texts(value, "as-groups");
  if (const Value* extra = file.find(value, "as-user-extra")) {
    if (extra->kind != Value::Kind::map)
      file.fail(extra->position, "'as-user-extra' must be a map");
    for (const Value::Entry& entry : extra->entries)
      for (const std::string& word : file.texts(*extra, entry.key))
        user.as_extra.emplace_back(entry.key, word);
  }
  return user;
}

KubeContext read_context(const FileReader& file, const Value& value) {
  return {.cluster = file.text(value, "cluster"),
          .user = file.text(value, "user"),
          .name_space = file.text(value, "namespace"),
          .where = {}};
}

/// A list of {name, <key>: {…}}; of two entries of one name the last counts, as
/// kubectl has it within one file.
template <typename Item, typename Read>
std::map<std::string, Item> named(const FileReader& file, const Value& root, std::string_view lists,
                                  std::string_view key, Read read) {
  std::map<std::string, Item> items;
  for (const Value& entry : file.list(root, lists)) {
    const std::string name = file.text(entry, "name");
    if (name.empty()) file.fail(entry.position, fmt::format("a {} without a name", key));
    const Value* content = file.find(entry, key);
    Item item = read(file, content == nullptr ? Value{} : *content);
    item.where = fmt::format("{} '{}' of {}", key, name, file.path().string());
    items[name] = std::move(item);
  }
  return items;
}

template <typename Map>
std::string names_of(const Map& map) {
  std::string names;
  for (const auto& [name, item] : map) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

}  // namespace

Kubeconfig parse_kubeconfig(std::string_view text, const std::filesystem::path& path) {
  const FileReader file(path);
  const Value root = settings::read_document(text, path.string());
  Kubeconfig config;
  if (root.kind == Value::Kind::null) return config;
  config.clusters = named<KubeCluster>(file, root, "clusters", "cluster", read_cluster);
  config.users = named<KubeUser>(file, root, "users", "user", read_user);
  config.contexts = named<KubeContext>(file, root, "contexts", "context", read_context);
  config.current_context = file.text(root, "current-context");
  return config;
}

void merge_kubeconfig(Kubeconfig& first, Kubeconfig more) {
  first.clusters.merge(more.clusters);
  first.users.merge(more.users);
  first.contexts.merge(more.contexts);
  if (first.current_context.empty()) first.current_context = std::move(more.current_context);
}

KubeSelection select_context(const Kubeconfig& config, const std::string& context,
                             const std::string& files) {
  const std::string& name = context.empty() ? config.current_context : context;
  if (name.empty()) {
    throw support::OperatorError(
        fmt::format("{}: no current-context is set", files),
        fmt::format("name a context in the settings, or `kubectl config use-context NAME`; "
                    "contexts there: {}",
                    names_of(config.contexts)));
  }
  const auto chosen = config.contexts.find(name);
  if (chosen == config.contexts.end()) {
    throw support::OperatorError(fmt::format("{}: there is no context '{}'", files, name),
                                 fmt::format("contexts there: {}", names_of(config.contexts)));
  }
  const KubeContext& entry = chosen->second;
  const auto cluster = config.clusters.find(entry.cluster);
  if (cluster == config.clusters.end()) {
    throw support::OperatorError(
        fmt::format("{}: its cluster '{}' is not there", entry.where, entry.cluster),
        fmt::format("clusters there: {}", names_of(config.clusters)));
  }
  KubeSelection selection{
      .cluster = cluster->second, .user = {}, .name_space = entry.name_space, .where = entry.where};
  if (entry.user.empty()) return selection;
  const auto user = config.users.find(entry.user);
  if (user == config.users.end()) {
    throw support::OperatorError(
        fmt::format("{}: its user '{}' is not there", entry.where, entry.user),
        fmt::format("users there: {}", names_of(config.users)));
  }
  selection.user = user->second;
  return selection;
}

}  // namespace berth::kubernetes
