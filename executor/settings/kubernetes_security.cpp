#include "executor/settings/kubernetes_security.hpp"

#include <fmt/format.h>

#include <limits>

namespace berth::settings {
namespace {

std::int64_t id(const Reader& reader, const Value& value, std::string_view key) {
  return reader.integer(value, key, 0, std::numeric_limits<std::int64_t>::max());
}

SecurityProfile profile(const Reader& reader, const Value& value, std::string_view key) {
  SecurityProfile result;
  reader.map(value, key,
             {{"type",
               [&](const Value& v) {
                 result.type = reader.text(v, "type");
                 if (result.type != "RuntimeDefault" && result.type != "Localhost" &&
                     result.type != "Unconfined") {
                   reader.bad_value(v, "type", "RuntimeDefault, Localhost or Unconfined");
                 }
               }},
              {"localhost_profile", [&](const Value& v) {
                 result.localhost_profile = reader.text(v, "localhost_profile");
               }}});
  if ((result.type == "Localhost") == result.localhost_profile.empty()) {
    reader.fail(
        value.position,
        fmt::format("'{}' has 'localhost_profile' with type Localhost, and only with it", key));
  }
  return result;
}

std::string proc_mount(const Reader& reader, const Value& value) {
  std::string word = reader.text(value, "proc_mount");
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (word == "default") return "Default";
  if (word == "unmasked") return "Unmasked";
  reader.bad_value(value, "proc_mount", "default or unmasked");
}

}  // namespace

PodSecurity read_pod_security(const Reader& reader, const Value& value, std::string_view key) {
  PodSecurity s;
  reader.map(
      value, key,
      {{"fs_group", [&](const Value& v) { s.fs_group = id(reader, v, "fs_group"); }},
       {"run_as_user", [&](const Value& v) { s.run_as_user = id(reader, v, "run_as_user"); }},
       {"run_as_group", [&](const Value& v) { s.run_as_group = id(reader, v, "run_as_group"); }},
       {"run_as_non_root",
        [&](const Value& v) { s.run_as_non_root = reader.boolean(v, "run_as_non_root"); }},
       {"supplemental_groups",
        [&](const Value& v) {
          for (const Value& item : reader.list(v, "supplemental_groups")) {
            s.supplemental_groups.push_back(id(reader, item, "supplemental_groups"));
          }
        }},
       {"selinux_type", [&](const Value& v) { s.selinux_type = reader.text(v, "selinux_type"); }},
       {"seccomp_profile",
        [&](const Value& v) { s.seccomp_profile = profile(reader, v, "seccomp_profile"); }},
       {"app_armor_profile",
        [&](const Value& v) { s.app_armor_profile = profile(reader, v, "app_armor_profile"); }}});
  return s;
}

ContainerSecurity read_container_security(const Reader& reader, const Value& value,
                                          std::string_view key) {
  ContainerSecurity s;
  const auto capabilities = [&](const Value& v) {
    reader.map(v, "capabilities",
               {{"add", [&](const Value& list) { s.cap_add = reader.texts(list, "add"); }},
                {"drop", [&](const Value& list) { s.cap_drop = reader.texts(list, "drop"); }}});
  };
  reader.map(
      value, key,
      {{"capabilities", capabilities},
       {"privileged", [&](const Value& v) { s.privileged = reader.boolean(v, "privileged"); }},
       {"allow_privilege_escalation",
        [&](const Value& v) {
          s.allow_privilege_escalation = reader.boolean(v, "allow_privilege_escalation");
        }},
       {"run_as_user", [&](const Value& v) { s.run_as_user = id(reader, v, "run_as_user"); }},
       {"run_as_group", [&](const Value& v) { s.run_as_group = id(reader, v, "run_as_group"); }},
       {"run_as_non_root",
        [&](const Value& v) { s.run_as_non_root = reader.boolean(v, "run_as_non_root"); }},
       {"read_only_root_filesystem",
        [&](const Value& v) {
          s.read_only_root_filesystem = reader.boolean(v, "read_only_root_filesystem");
        }},
       {"selinux_type", [&](const Value& v) { s.selinux_type = reader.text(v, "selinux_type"); }},
       {"proc_mount", [&](const Value& v) { s.proc_mount = proc_mount(reader, v); }},
       {"seccomp_profile",
        [&](const Value& v) { s.seccomp_profile = profile(reader, v, "seccomp_profile"); }},
       {"app_armor_profile",
        [&](const Value& v) { s.app_armor_profile = profile(reader, v, "app_armor_profile"); }}});
  return s;
}

}  // namespace berth::settings
