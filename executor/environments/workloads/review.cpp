#include "executor/environments/workloads/review.hpp"

#include "executor/environments/workloads/json_reading.hpp"
#include "executor/environments/workloads/rollback.hpp"
#include "executor/settings/api_object.hpp"
#include "executor/settings/document.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;

constexpr const char* k_label = "berth.review";
constexpr const char* k_environment = "berth.environment";
constexpr const char* k_project = "berth.project";
constexpr const char* k_expires = "berth.expires";

struct KindEntry {
  const char* kind;
  kubernetes::Resource resource;
};

const kubernetes::Resource* resource_of_kind(const std::string& kind) {
  static const std::array<KindEntry, 7> k_table = {
      KindEntry{"ResourceQuota", {.plural = "resourcequotas", .singular = "resource quota"}},
      KindEntry{"LimitRange", {.plural = "limitranges", .singular = "limit range"}},
      KindEntry{"ServiceAccount", kubernetes::resources::k_service_accounts},
      KindEntry{"ConfigMap", kubernetes::resources::k_config_maps},
      KindEntry{"NetworkPolicy",
                {.group = "networking.k8s.io",
                 .plural = "networkpolicies",
                 .singular = "network policy"}},
      KindEntry{"Role",
                {.group = "rbac.authorization.k8s.io", .plural = "roles", .singular = "role"}},
      KindEntry{"RoleBinding",
                {.group = "rbac.authorization.k8s.io",
                 .plural = "rolebindings",
                 .singular = "role binding"}}};
  const auto found = std::find_if(k_table.begin(), k_table.end(),
                                  [&](const KindEntry& one) { return kind == one.kind; });
  return found == k_table.end() ? nullptr : &found->resource;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

/// YAML's documents, each with empty lines before it so that positions stay true.
std::vector<std::string> documents_of(const std::string& yaml) {
  std::vector<std::string> documents(1);
  std::size_t lines = 0;
  for (std::size_t at = 0; at < yaml.size();) {
    const std::size_t end = std::min(yaml.find('\n', at), yaml.size());
    const std::string_view line = std::string_view(yaml).substr(at, end - at);
    ++lines;
    if (line == "---" || line.starts_with("--- ")) {
      documents.emplace_back(lines, '\n');
    } else {
      documents.back().append(line).push_back('\n');
    }
    at = end + 1;
  }
  return documents;
}

const json& annotations_of(const json& object) {
  return member(member(object, "metadata"), "annotations");
}

bool is_ours(const json& name_space) {
  return word(member(member(name_space, "metadata"), "labels"), k_label) == "true";
}

ReviewNamespace read_namespace(const json& object) {
  const json& annotations = annotations_of(object);
  ReviewNamespace one{.name = word(member(object, "metadata"), "name"),
                      .environment = word(annotations, k_environment),
                      .project = word(annotations, k_project)};
  const std::string expires = word(annotations, k_expires);
  std::from_chars(expires.data(), expires.data() + expires.size(), one.expires);
  return one;
}

json namespace_object(const ReviewNamespace& wanted) {
  return {{"apiVersion", "v1"},
          {"kind", "Namespace"},
          {"metadata",
           {{"name", wanted.name},
            {"labels", {{k_label, "true"}}},
            {"annotations",
             {{k_environment, wanted.environment},
              {k_project, wanted.project},
              {k_expires, std::to_string(wanted.expires)}}}}}};
}

}  // namespace

std::string namespace_name(std::string_view pattern, std::string_view slug) {
  std::string name = replaced(std::string(pattern), "{slug}", slug);
  constexpr std::size_t k_longest = 63;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  const bool good = !name.empty() && name.size() <= k_longest && !name.starts_with('-') &&
                    !name.ends_with('-') && std::all_of(name.begin(), name.end(), fits);
  if (!good)
    throw support::OperatorError(
        fmt::format("review environment: '{}' cannot be a namespace's name", name),
        "at most 63 of a-z, 0-9 and '-', neither first nor last a '-'");
  return name;
}

std::vector<TemplateObject> read_template(std::string_view yaml, std::string_view name,
                                          std::string_view slug, std::string_view name_space) {
  const std::string text =
      replaced(replaced(std::string(yaml), "{slug}", slug), "{namespace}", name_space);
  std::vector<TemplateObject> objects;
  for (const std::string& document : documents_of(text)) {
    const settings::Value value = settings::read_document(document, name);
    if (value.kind == settings::Value::Kind::null) continue;
    json object = json::parse(settings::to_json_text(value));
    const auto fail = [&](const std::string& why) {
      throw support::OperatorError(
          fmt::format("{}:{}:{}: {}", name, value.position.line, value.position.column, why),
          "what a review namespace gets: ResourceQuota, LimitRange, "
          "NetworkPolicy, Role, RoleBinding, ServiceAccount, ConfigMap");
    };
    const std::string kind = word(object, "kind");
    const kubernetes::Resource* resource = resource_of_kind(kind);
    if (resource == nullptr) fail(fmt::format("kind '{}' is not one of those", kind));
    const std::string called = word(member(object, "metadata"), "name");
    if (called.empty()) fail("an object without metadata.name");
    object["metadata"].erase("namespace");
    objects.push_back({.resource = *resource, .name = called, .object = object.dump()});
  }
  return objects;
}

void ensure_namespace(kubernetes::Client& client, const ReviewNamespace& wanted,
                      const std::vector<TemplateObject>& objects, std::stop_token stop) {
  const auto& namespaces = kubernetes::resources::k_namespaces;
  const std::optional<json> there = client.find(namespaces, {}, wanted.name, stop);
  if (there) {
    const ReviewNamespace known = read_namespace(*there);
    if (!is_ours(*there) || known.environment != wanted.environment ||
        known.project != wanted.project) {
      throw support::JobError(
          fmt::format("review environment '{}': namespace '{}' is there and {}", wanted.environment,
                      wanted.name,
                      is_ours(*there) ? fmt::format("belongs to environment '{}' of project '{}'",
                                                    known.environment, known.project)
                                      : std::string("was made by somebody else")),
          "choose another name for the environment, or remove that namespace");
    }
    const json moved = {
        {"metadata", {{"annotations", {{k_expires, std::to_string(wanted.expires)}}}}}};
    client.patch(namespaces, {}, wanted.name, moved, {.field_manager = k_field_manager}, stop);
  } else {
    client.create(namespaces, {}, namespace_object(wanted), stop);
  }
  for (const TemplateObject& one : objects) {
    client.patch(
        one.resource, wanted.name, one.name, json::parse(one.object),
        {.type = kubernetes::PatchType::apply, .field_manager = k_field_manager, .force = true},
        stop);
  }
}

NamespaceRemoval remove_namespace(kubernetes::Client& client, const ReviewNamespace& known,
                                  std::stop_token stop) {
  const auto& namespaces = kubernetes::resources::k_namespaces;
  const std::optional<json> there = client.find(namespaces, {}, known.name, stop);
  if (!there) return NamespaceRemoval::absent;
  const ReviewNamespace found = read_namespace(*there);
  if (!is_ours(*there) || found.environment != known.environment ||
      found.project != known.project || (known.expires != 0 && found.expires != known.expires))
    return NamespaceRemoval::not_ours;
  const std::string uid = word(member(*there, "metadata"), "uid");
  return client.remove(namespaces, {}, known.name, {.uid = uid}, stop) ==
                 kubernetes::Deletion::absent
             ? NamespaceRemoval::absent
             : NamespaceRemoval::begun;
}

std::vector<ReviewNamespace> expired(const json& namespaces, std::int64_t now) {
  std::vector<ReviewNamespace> over;
  if (!namespaces.is_array()) return over;
  for (const json& object : namespaces) {
    const ReviewNamespace one = read_namespace(object);
    const bool going = !word(member(object, "metadata"), "deletionTimestamp").empty();
    if (is_ours(object) && !going && one.expires > 0 && one.expires <= now) over.push_back(one);
  }
  return over;
}

std::vector<ReviewNamespace> find_expired(kubernetes::Client& client, std::int64_t now,
                                          std::stop_token stop) {
  const json all = client.list(kubernetes::resources::k_namespaces, {},
                               {.label = std::string(k_label) + "=true"}, stop);
  return expired(all.at("items"), now);
}

}  // namespace berth::environments::workloads
