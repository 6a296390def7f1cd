#include "executor/docker/engine/agent_volume.hpp"

#include "executor/docker/engine/tar.hpp"
#include "executor/sandbox/agent_program.hpp"
#include "executor/support/error.hpp"
#include "executor/support/fd.hpp"
#include "executor/support/files.hpp"
#include "executor/support/retry.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <optional>
#include <sys/file.h>

namespace berth::docker {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t k_max_program = std::size_t{64} << 20;
constexpr const char* k_mount = "/.berth/bin";
/// Written after the program; its content is the program's digest.
constexpr const char* k_marker = "complete";
constexpr const char* k_type_label = "com.gitlab.gitlab-runner.type";
constexpr const char* k_fill_type = "agent-fill";
constexpr std::int64_t k_forgotten_after = 600;  // seconds

/// What this host knows of one engine: a JSON file in the state folder. The
/// engine could be another one behind the same address, so it is only believed
/// together with the volume's time of creation.
struct Note {
  std::string volume;
  std::string created_at;
  std::string arch;
  std::string program_stamp;
};

fs::path note_path(const AgentVolumeOptions& options, const Engine& engine) {
  return options.state_dir /
         ("agent-volume-" + sandbox::short_digest(engine.address().host) + ".json");
}

std::optional<Note> read_note(const fs::path& path) {
  const auto text = support::read_file_if_exists(path, std::size_t{1} << 16);
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;  // a note is only ever a short cut
  Note note;
  for (const auto& [key, field] : {std::pair{"volume", &note.volume},
                                   {"created_at", &note.created_at},
                                   {"arch", &note.arch},
                                   {"program", &note.program_stamp}}) {
    if (!json.contains(key) || !json[key].is_string()) return std::nullopt;
    *field = json[key].get<std::string>();
  }
  return note;
}

void write_note(const fs::path& path, const Note& note) {
  const Json json{{"volume", note.volume},
                  {"created_at", note.created_at},
                  {"arch", note.arch},
                  {"program", note.program_stamp}};
  support::write_file_atomically(path, json.dump());
}

/// The volume that a note of this host says is complete, if that still holds.
std::optional<AgentVolume> known_volume(Engine& engine, const AgentVolumeOptions& options,
                                        const std::stop_token& stop) {
  const auto note = read_note(note_path(options, engine));
  if (!note) return std::nullopt;
  if (sandbox::find_agent_program(options.program_dir, note->arch).stamp != note->program_stamp)
    return std::nullopt;
  const auto volume = engine.find_volume(note->volume, stop);
  if (!volume || volume->created_at != note->created_at) return std::nullopt;
  return AgentVolume{.name = note->volume, .arch = note->arch};
}

/// One filler per state folder at a time.
support::Fd lock(const fs::path& folder, const std::stop_token& stop) {
  const fs::path path = folder / "agent-volume.lock";
  support::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file)
    throw support::OperatorError("state folder: '" + path.string() +
                                 "': " + support::errno_text(errno));
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      throw support::SystemError("lock: '" + path.string() + "': " + support::errno_text(errno));
    if (!support::sleep_for(std::chrono::milliseconds(20), stop)) throw support::Cancelled();
  }
  return file;
}

/// A container that mounts the volume and is never started: the archive calls
/// reach mounted volumes through it.
class Filler {
 public:
  Filler(Engine& engine, const AgentVolumeOptions& options, const std::string& volume,
         std::stop_token stop)
      : m_engine(engine), m_stop(std::move(stop)) {
    const Json body{{"Image", options.image},
                    {"Entrypoint", {"/.berth/never-started"}},
                    {"NetworkDisabled", true},
                    {"Labels", {{k_type_label, k_fill_type}, {"berth.host", options.host}}},
                    {"HostConfig",
                     {{"NetworkMode", "none"},
                      {"Mounts",
                       {{{"Type", "volume"},
                         {"Source", volume},
                         {"Target", k_mount},
                         {"VolumeOptions", {{"NoCopy", true}}}}}}}}};
    m_id =
        m_engine.create_container("berth-agent-fill-" + support::random_hex(6), body, "", m_stop);
  }
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;
  ~Filler() {
    try {
      m_engine.remove_container(m_id, {});
    } catch (...) {  // the next one to fill the volume removes it
    }
  }

  bool complete(const std::string& digest) {
    const auto tar = m_engine.get_archive(m_id, std::string(k_mount) + "/" + k_marker,
                                          std::size_t{1} << 16, m_stop);
    return tar && first_file(*tar) == digest;
  }

  void put(const std::string& name, std::string content, std::uint32_t mode) {
    TarWriter tar;
    tar.add(
        {.name = name, .content = std::move(content), .mode = mode, .mtime = std::time(nullptr)});
    m_engine.put_archive(m_id, k_mount, tar.finish(), m_stop);
  }

 private:
  Engine& m_engine;
  std::stop_token m_stop;
  std::string m_id;
};

/// Containers a killed filler left: this host's (we hold its lock), and others'
/// that are too old to be at work.
void remove_forgotten(Engine& engine, const std::string& host, const std::stop_token& stop) {
  const std::string type = std::string(k_type_label) + "=" + k_fill_type;
  for (const ContainerSummary& container : engine.list_containers({type}, stop)) {
    const auto label = container.labels.find("berth.host");
    const bool ours = label != container.labels.end() && label->second == host;
    if (ours || container.created + k_forgotten_after < std::time(nullptr))
      engine.remove_container(container.id, stop);
  }
}

}  // namespace

AgentVolume ensure_agent_volume(Engine& engine, const AgentVolumeOptions& options,
                                std::stop_token stop) {
  if (auto known = known_volume(engine, options, stop)) return *known;
  const support::Fd held = lock(options.state_dir, stop);
  // Another job may have filled it while we waited.
  if (auto known = known_volume(engine, options, stop)) return *known;
  remove_forgotten(engine, options.host, stop);

  const std::string arch = engine.version(stop).arch;
  const sandbox::AgentProgram program = sandbox::find_agent_program(options.program_dir, arch);
  const std::string bytes = support::read_file(program.path, k_max_program);
  const std::string digest = sandbox::short_digest(bytes);
  const std::string name = "berth-agent-" + digest + "-" + arch;
  const VolumeInfo volume =
      engine.create_volume(Json{{"Name", name}, {"Labels", {{k_type_label, "agent"}}}}, stop);
  {
    Filler filler(engine, options, name, stop);
    if (!filler.complete(digest)) {
      filler.put("berth-agent", bytes, 0755);
      filler.put(k_marker, digest, 0444);
    }
  }
  write_note(note_path(options, engine), {.volume = name,
                                          .created_at = volume.created_at,
                                          .arch = arch,
                                          .program_stamp = program.stamp});
  return {.name = name, .arch = arch};
}

}  // namespace berth::docker
