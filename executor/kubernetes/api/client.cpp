#include "executor/kubernetes/api/client.hpp"

#include "executor/kubernetes/api/caller.hpp"
#include "executor/support/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

/// An admission webhook may take half a minute; who is silent longer is away.
constexpr std::chrono::seconds k_silence{35};

ApiCall make_call(std::string name, std::string method, std::string target) {
  ApiCall call{.name = std::move(name)};
  call.request.method = std::move(method);
  call.request.target = std::move(target);
  call.request.headers.push_back({"Accept", "application/json"});
  call.request.silence_timeout = k_silence;
  return call;
}

void set_body(ApiCall& call, const json& body, const char* type = "application/json") {
  call.request.body = body.dump();
  call.request.headers.push_back({"Content-Type", type});
}

json object_of(const std::string& body, const std::string& name) {
  json object = support::parse_json(body, "the API server's answer to: " + name);
  if (!object.is_object())
    throw support::SystemError("the API server's answer to: " + name + ": is no object");
  return object;
}

/// metadata.<key> where it is a string, else "".
std::string metadata_of(const json& object, const char* key) {
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return {};
  const auto found = metadata->find(key);
  return found != metadata->end() && found->is_string() ? found->get<std::string>() : std::string();
}

const json* labels_of(const json& object) {
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return nullptr;
  const auto labels = metadata->find("labels");
  return labels != metadata->end() && labels->is_object() && !labels->empty() ? &*labels : nullptr;
}

bool has_labels(const json& object, const json& wanted) {
  const json* labels = labels_of(object);
  if (labels == nullptr) return false;
  return std::ranges::all_of(wanted.items(), [&](const auto& item) {
    const auto found = labels->find(item.key());
    return found != labels->end() && *found == item.value();
  });
}

const char* content_type(PatchType type) {
  switch (type) {
    case PatchType::json:
      return "application/json-patch+json";
    case PatchType::strategic:
      return "application/strategic-merge-patch+json";
    case PatchType::apply:
      return "application/apply-patch+yaml";  // JSON is YAML
    case PatchType::merge:
      break;
  }
  return "application/merge-patch+json";
}

}  // namespace

Client::Client(Connection connection, ClientOptions options)
    : m_impl(std::make_unique<Impl>(std::move(connection), std::move(options))) {}
Client::~Client() = default;

const Connection& Client::connection() const noexcept {
  return m_impl->caller.connection();
}
const ClientOptions& Client::options() const noexcept {
  return m_impl->caller.options();
}
std::string Client::describe() const {
  return m_impl->caller.describe();
}

json Client::get(const Resource& resource, const std::string& name_space, const std::string& name,
                 std::stop_token stop) {
  const ApiCall call = make_call(call_name("get", resource, name_space, name), "GET",
                                 object_path(resource, name_space, name));
  return object_of(m_impl->caller.call(call, stop).response.body, call.name);
}

std::optional<json> Client::find(const Resource& resource, const std::string& name_space,
                                 const std::string& name, std::stop_token stop) {
  try {
    return get(resource, name_space, name, stop);
  } catch (const ApiError& error) {
    if (error.not_found()) return std::nullopt;
    throw;
  }
}

std::optional<std::string> Client::find_uid(const Resource& resource, const std::string& name_space,
                                            const std::string& name, std::stop_token stop) {
  ApiCall call = make_call(call_name("get", resource, name_space, name), "GET",
                           object_path(resource, name_space, name));
  // A server that does not know the form sends the whole object, which has it too.
  call.request.headers.front().value =
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
  try {
    const json object = object_of(m_impl->caller.call(call, stop).response.body, call.name);
    return metadata_of(object, "uid");
  } catch (const ApiError& error) {
    if (error.not_found()) return std::nullopt;
    throw;
  }
}

json Client::list(const Resource& resource, const std::string& name_space,
                  const Selectors& selectors, std::stop_token stop) {
  const std::string name = call_name("list", resource, name_space, {});
  json whole;
  std::string page;
  bool paged = true;
  while (true) {
    const ApiCall call =
        make_call(name, "GET",
                  object_path(resource, name_space, {}) + query({{"fieldSelector", selectors.field},
                                                                 {"labelSelector", selectors.label},
                                                                 {"limit", paged ? "500" : ""},
                                                                 {"continue", page}}));
    json part;
    try {
      part = object_of(m_impl->caller.call(call, stop).response.body, name);
    } catch (const ApiError& error) {
      // The first page is too old by now: all at once, then.
      if (!error.gone() || page.empty()) throw;
      paged = false;
      page.clear();
      whole = {};
      continue;
    }
    if (!part.contains("items") || part["items"].is_null()) part["items"] = json::array();
    if (!part["items"].is_array())
      throw support::SystemError("the API server's answer to: " + name + ": items is no list");
    page = metadata_of(part, "continue");
    if (whole.is_null()) {
      whole = std::move(part);
    } else {
      for (json& item : part["items"]) whole["items"].push_back(std::move(item));
    }
    if (page.empty()) return whole;
  }
}

json Client::create(const Resource& resource, const std::string& name_space, const json& object,
                    std::stop_token stop) {
  const std::string name = metadata_of(object, "name");
  ApiCall call = make_call(call_name("create", resource, name_space,
                                     name.empty() ? metadata_of(object, "generateName") : name),
                           "POST",
                           // An unknown field is an error, not something to leave out.
                           object_path(resource, name_space, {}) + "?fieldValidation=Strict");
  set_body(call, object);
  call.repeat_when_lost = !name.empty();
  call.retry_conflict = true;
  try {
    return object_of(m_impl->caller.call(call, stop).response.body, call.name);
  } catch (const ApiError& error) {
    const json* labels = labels_of(object);
    if (!error.already_exists() || !error.repeated() || labels == nullptr) throw;
    std::optional<json> there = find(resource, name_space, name, stop);
    if (!there || !has_labels(*there, *labels)) throw;
    return std::move(*there);
  }
}

json Client::patch(const Resource& resource, const std::string& name_space, const std::string& name,
                   const json& patch, const PatchOptions& options, std::stop_token stop) {
  const bool apply = options.type == PatchType::apply;
  ApiCall call =
      make_call(call_name(apply ? "apply" : "patch", resource, name_space, name), "PATCH",
                object_path(resource, name_space, name) +
                    query({{"fieldManager", options.field_manager},
                           {"force", apply && options.force ? "true" : ""}}));
  set_body(call, patch, content_type(options.type));
  call.retry_conflict = options.retry_conflict;
  return object_of(m_impl->caller.call(call, stop).response.body, call.name);
}

Deletion Client::remove(const Resource& resource, const std::string& name_space,
                        const std::string& name, const DeleteOptions& options,
                        std::stop_token stop) {
  ApiCall call = make_call(call_name("delete", resource, name_space, name), "DELETE",
                           object_path(resource, name_space, name));
  json body = {{"kind", "DeleteOptions"}, {"apiVersion", "v1"}};
  if (options.grace_seconds) body["gracePeriodSeconds"] = *options.grace_seconds;
  if (!options.uid.empty()) body["preconditions"] = {{"uid", options.uid}};
  if (!options.propagation.empty()) body["propagationPolicy"] = options.propagation;
  set_body(call, body);
  try {
    m_impl->caller.call(call, stop);
    return Deletion::started;
  } catch (const ApiError& error) {
    if (!error.not_found()) throw;
    return error.repeated() ? Deletion::started : Deletion::absent;
  }
}

std::string Client::logs(const std::string& name_space, const std::string& pod,
                         const LogOptions& options, std::stop_token stop) {
  // limitBytes counts from the front, and the end is wanted: lines may be long.
  constexpr std::size_t k_most = std::size_t{4} << 20;
  const ApiCall call = make_call(
      fmt::format("log of container '{}' of pod '{}/{}'", options.container, name_space, pod),
      "GET",
      object_path(resources::k_pods, name_space, pod, "log") +
          query({{"container", options.container},
                 {"tailLines", std::to_string(options.tail_lines)},
                 {"limitBytes", std::to_string(std::max(k_most, options.max_bytes))},
                 {"previous", options.previous ? "true" : ""}}));
  std::string text = m_impl->caller.call(call, stop).response.body;
  if (text.size() > options.max_bytes) text.erase(0, text.size() - options.max_bytes);
  return text;
}

AccessAnswer Client::may(const AccessQuestion& question, std::stop_token stop) {
  json attributes = {{"verb", question.verb},
                     {"group", question.resource.group},
                     {"version", question.resource.version},
                     {"resource", question.resource.plural}};
  if (!question.name_space.empty()) attributes["namespace"] = question.name_space;
  if (!question.subresource.empty()) attributes["subresource"] = question.subresource;
  ApiCall call = make_call(fmt::format("may I {} {}", question.verb, question.resource.plural),
                           "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
  set_body(call, {{"apiVersion", "authorization.k8s.io/v1"},
                  {"kind", "SelfSubjectAccessReview"},
                  {"spec", {{"resourceAttributes", attributes}}}});
  const json answer = object_of(m_impl->caller.call(call, stop).response.body, call.name);
  try {
    const json& status = answer.at("status");
    return {.allowed = status.at("allowed").get<bool>(), .reason = status.value("reason", "")};
  } catch (const json::exception& error) {
    throw support::json_error(error, "the API server's answer to: " + call.name);
  }
}

json Client::get_path(const std::string& path, std::stop_token stop) {
  const ApiCall call = make_call("get " + path, "GET", path);
  return object_of(m_impl->caller.call(call, stop).response.body, call.name);
}

}  // namespace berth::kubernetes
