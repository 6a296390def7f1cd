#include "executor/kubernetes/pod/security.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

template <typename T>
void set_if(json& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

void set_profile(json& object, const char* key, const settings::SecurityProfile& profile) {
  if (profile.type.empty()) return;
  object[key] = {{"type", profile.type}};
  if (!profile.localhost_profile.empty()) {
    object[key]["localhostProfile"] = profile.localhost_profile;
  }
}

/// What pod and container contexts share.
template <typename Security>
void set_common(json& context, const Security& security) {
  set_if(context, "runAsUser", security.run_as_user);
  set_if(context, "runAsGroup", security.run_as_group);
  set_if(context, "runAsNonRoot", security.run_as_non_root);
  if (!security.selinux_type.empty()) {
    context["seLinuxOptions"] = {{"type", security.selinux_type}};
  }
  set_profile(context, "seccompProfile", security.seccomp_profile);
  set_profile(context, "appArmorProfile", security.app_armor_profile);
}

json capabilities(const settings::Kubernetes& settings, const settings::ContainerSecurity& own) {
  std::map<std::string, bool> added{{"NET_RAW", false}};
  for (const std::string& name : settings.cap_add) added[name] = true;
  for (const std::string& name : settings.cap_drop) added[name] = false;
  std::vector<std::string> add;
  std::vector<std::string> drop;
  for (const auto& [name, is_added] : added) (is_added ? add : drop).push_back(name);
  if (own.cap_add) add = *own.cap_add;
  if (own.cap_drop) drop = *own.cap_drop;
  json result = json::object();
  if (!add.empty()) result["add"] = add;
  if (!drop.empty()) result["drop"] = drop;
  return result;
}

std::optional<std::int64_t> parse_id(std::string_view text) {
  std::int64_t id = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, id);
  if (error != std::errc() || end != last || id < 0) return std::nullopt;
  return id;
}

bool is_allowed(std::int64_t id, const std::vector<std::string>& allowed) {
  // Root is what must be named to be had.
  if (allowed.empty()) return id != 0;
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](const std::string& one) { return parse_id(one) == id; });
}

/// What one of the two halves of uid:gid is called.
struct IdNames {
  const char* api;
  const char* word;
  const char* option;
};
constexpr IdNames k_user{.api = "runAsUser", .word = "user", .option = "allowed_users"};
constexpr IdNames k_group{.api = "runAsGroup", .word = "group", .option = "allowed_groups"};

struct WantedId {
  std::string_view text;
  const std::vector<std::string>& allowed;
  bool is_set;
};

void set_id(json& context, const IdNames& names, const WantedId& wanted,
            const std::string& container, std::vector<std::string>& notes) {
  if (wanted.text.empty()) return;
  const auto note = [&](std::string_view why) {
    notes.push_back(fmt::format("container '{}' does not run as {} '{}': {}", container, names.word,
                                wanted.text, why));
  };
  if (wanted.is_set) return note("the runner's settings say which");
  const std::optional<std::int64_t> id = parse_id(wanted.text);
  if (!id) return note("on Kubernetes it must be a number");
  if (!is_allowed(*id, wanted.allowed)) {
    return note(fmt::format("{} of the runner's settings does not name it", names.option));
  }
  context[names.api] = *id;
}

}  // namespace

json pod_security_context(const settings::PodSecurity& security) {
  json context = json::object();
  set_common(context, security);
  set_if(context, "fsGroup", security.fs_group);
  if (!security.supplemental_groups.empty()) {
    context["supplementalGroups"] = security.supplemental_groups;
  }
  return context;
}

json container_security_context(const settings::Kubernetes& settings,
                                const settings::ContainerSecurity& own) {
  json context = json::object();
  set_common(context, own);
  set_if(context, "privileged", own.privileged ? own.privileged : settings.privileged);
  set_if(context, "allowPrivilegeEscalation",
         own.allow_privilege_escalation ? own.allow_privilege_escalation
                                        : settings.allow_privilege_escalation);
  set_if(context, "readOnlyRootFilesystem", own.read_only_root_filesystem);
  if (!own.proc_mount.empty()) context["procMount"] = own.proc_mount;
  if (json list = capabilities(settings, own); !list.empty()) {
    context["capabilities"] = std::move(list);
  }
  return context;
}

void set_job_user(json& context, const settings::Kubernetes& settings,
                  const settings::ContainerSecurity& own, const std::string& user,
                  const std::string& container, std::vector<std::string>& notes) {
  const std::size_t colon = user.find(':');
  const std::string_view uid = std::string_view(user).substr(0, colon);
  const std::string_view gid =
      colon == std::string::npos ? std::string_view() : std::string_view(user).substr(colon + 1);
  const settings::PodSecurity& pod = settings.pod_security;
  set_id(context, k_user, {uid, settings.allowed_users, own.run_as_user || pod.run_as_user},
         container, notes);
  set_id(context, k_group, {gid, settings.allowed_groups, own.run_as_group || pod.run_as_group},
         container, notes);
}

}  // namespace berth::kubernetes
