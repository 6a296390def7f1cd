#include "executor/state/plan.hpp"

#include "executor/state/versioned_json.hpp"
#include "executor/support/files.hpp"
#include "executor/support/json.hpp"

#include <nlohmann/json.hpp>

namespace berth::state {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view k_file = "plan.json";

// Each type's fields are listed once; Writer and Reader walk the same list.

template <typename Archive, typename Spec>
void container_fields(Archive& archive, Spec& spec) {
  archive("image", spec.image);
  archive("entrypoint", spec.entrypoint);
  archive("command", spec.command);
  archive("pull_policies", spec.pull_policies);
  archive("user", spec.user);
  archive("platform", spec.platform);
  archive("privileged", spec.privileged);
}

template <typename Archive, typename Spec>
void service_fields(Archive& archive, Spec& spec) {
  archive("container", spec.container);
  archive("aliases", spec.aliases);
  archive("job_index", spec.job_index);
  archive("settings_index", spec.settings_index);
  archive("unprivileged_by", spec.unprivileged_by);
  archive("spare_daemon", spec.spare_daemon);
  archive("added", spec.added);
}

template <typename Archive, typename Spec>
void volume_fields(Archive& archive, Spec& spec) {
  archive("name", spec.name);
  archive("destination", spec.destination);
  archive("per_job", spec.per_job);
}

template <typename Archive, typename Spec>
void bind_fields(Archive& archive, Spec& spec) {
  archive("source", spec.source);
  archive("destination", spec.destination);
  archive("mode", spec.mode);
}

template <typename Archive, typename Spec>
void job_fields(Archive& archive, Spec& spec) {
  archive("backend", spec.backend);
  archive("job_id", spec.job_id);
  archive("job_name", spec.job_name);
  archive("project_id", spec.project_id);
  archive("attempt", spec.attempt);
  archive("tmpdir", spec.tmpdir);
  archive("resource_name", spec.resource_name);
  archive("hostname", spec.hostname);
  archive("builds_dir", spec.builds_dir);
  archive("cache_dir", spec.cache_dir);
  archive("deadline", spec.deadline);
  archive("orphan_timeout_s", spec.orphan_timeout);
  archive("connection_timeout_s", spec.connection_timeout);
  archive("pull_retry_timeout_s", spec.pull_retry_timeout);
  archive("wait_for_services_timeout_s", spec.wait_for_services_timeout);
  archive("helper", spec.helper);
  archive("build", spec.build);
  archive("services", spec.services);
  archive("volumes", spec.volumes);
  archive("binds", spec.binds);
  archive("docker_in_docker", spec.docker_in_docker);
  archive("layers_volume", spec.layers_volume);
  archive("labels", spec.labels);
  archive("notes", spec.notes);
  archive("helper_umask_0000", spec.helper_umask_0000);
}

class Writer {
 public:
  explicit Writer(ordered_json& object) : m_object(object) {}
  template <typename T>
  void operator()(const char* key, const T& value) {
    m_object[key] = encode(value);
  }

 private:
  template <typename T>
  static ordered_json encode(const T& value) {
    return value;
  }
  template <typename T>
  static ordered_json encode(const std::optional<T>& value) {
    return value ? encode(*value) : ordered_json();
  }
  static ordered_json encode(std::chrono::seconds value) { return value.count(); }
  template <typename Fields>
  static ordered_json object(Fields fields) {
    ordered_json nested = ordered_json::object();
    Writer writer(nested);
    fields(writer);
    return nested;
  }
  static ordered_json encode(const core::ContainerSpec& spec) {
    return object([&](Writer& writer) { container_fields(writer, spec); });
  }
  static ordered_json encode(const core::ServiceSpec& spec) {
    return object([&](Writer& writer) { service_fields(writer, spec); });
  }
  static ordered_json encode(const core::VolumeSpec& spec) {
    return object([&](Writer& writer) { volume_fields(writer, spec); });
  }
  static ordered_json encode(const core::BindSpec& spec) {
    return object([&](Writer& writer) { bind_fields(writer, spec); });
  }
  template <typename T>
  static ordered_json encode(const std::vector<T>& values) {
    ordered_json array = ordered_json::array();
    for (const T& value : values) array.push_back(encode(value));
    return array;
  }

  ordered_json& m_object;
};

class Reader {
 public:
  explicit Reader(const json& object) : m_object(object) {}
  template <typename T>
  void operator()(const char* key, T& value) {
    decode(m_object.at(key), value);
  }

 private:
  template <typename T>
  static void decode(const json& from, T& value) {
    value = from.get<T>();
  }
  template <typename T>
  static void decode(const json& from, std::optional<T>& value) {
    if (!from.is_null()) decode(from, value.emplace());
  }
  static void decode(const json& from, std::chrono::seconds& value) {
    value = std::chrono::seconds(from.get<std::int64_t>());
  }
  static void decode(const json& from, core::ContainerSpec& spec) {
    Reader reader(from);
    container_fields(reader, spec);
  }
  static void decode(const json& from, core::ServiceSpec& spec) {
    Reader reader(from);
    service_fields(reader, spec);
  }
  static void decode(const json& from, core::VolumeSpec& spec) {
    Reader reader(from);
    volume_fields(reader, spec);
  }
  static void decode(const json& from, core::BindSpec& spec) {
    Reader reader(from);
    bind_fields(reader, spec);
  }
  template <typename T>
  static void decode(const json& from, std::vector<T>& values) {
    for (const json& item : from.get_ref<const json::array_t&>()) {
      decode(item, values.emplace_back());
    }
  }

  const json& m_object;
};

}  // namespace

std::string encode_plan(const core::JobSpec& spec) {
  ordered_json root{{"version", core::JobSpec::k_version}};
  Writer writer(root);
  job_fields(writer, spec);
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

core::JobSpec decode_plan(std::string_view text, std::string_view name) {
  const json root = parse_versioned(text, core::JobSpec::k_version, name);
  try {
    core::JobSpec spec;
    Reader reader(root);
    job_fields(reader, spec);
    return spec;
  } catch (const json::exception& error) {
    throw support::json_error(error, name);
  }
}

void write_plan(const std::filesystem::path& tmpdir, const core::JobSpec& spec) {
  support::write_file_atomically(state_file(tmpdir, k_file), encode_plan(spec));
}

std::optional<core::JobSpec> read_plan(const std::filesystem::path& tmpdir) {
  const std::filesystem::path file = state_file(tmpdir, k_file);
  const std::optional<std::string> text = read_state_file(file);
  if (!text) return std::nullopt;
  return decode_plan(*text, file.native());
}

}  // namespace berth::state
