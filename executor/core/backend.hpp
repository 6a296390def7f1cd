#pragma once

#include "executor/core/exit_status.hpp"
#include "executor/core/job.hpp"
#include "executor/core/job_secrets.hpp"
#include "executor/core/job_spec.hpp"
#include "executor/core/stage.hpp"
#include "executor/support/console.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace berth::core {

using support::Console;

/// What prepare leaves for run and cleanup, written as sandbox.json. Holds no
/// secret. The map's keys belong to the backend, but for k_value_hints.
struct Sandbox {
  std::string backend{};
  std::map<std::string, std::string> values{};
  bool operator==(const Sandbox&) const = default;
};

/// Key of Sandbox::values that is no backend's: hints at what services have said while
/// the job was prepared, one a line, for the log of a job that fails.
inline constexpr std::string_view k_value_hints = "hints";

/// Receives a script's output, in order, each byte once. Returns when the bytes
/// are safe (written to the job log). Throws where they cannot be written.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void write(std::string_view bytes) = 0;
};

/// A stage that an earlier process started and whose output below `offset` it
/// has delivered. Such a stage is taken up, never started.
struct Resume {
  std::array<std::uint8_t, 16> id{};
  std::uint64_t offset = 0;
  bool operator==(const Resume&) const = default;
};

/// What the agents of a job keep in memory from one stage to the next; the stage that
/// runs is told of it on the connection that it has anyway.
class StageNote {
 public:
  virtual ~StageNote() = default;
  /// What the agents know it by.
  virtual const std::string& name() const = 0;
  /// The agents have one: it is to be read before the script starts.
  virtual bool wanted() const = 0;
  /// The note; may change the script that is started. Throws where it is not one.
  virtual void take(std::string_view bytes, std::string& script) = 0;
  /// When the script has ended: what the agent is to keep from now on, if anything.
  virtual std::optional<support::Secret> changed() = 0;
  /// It has not kept it: its words.
  virtual void not_kept(std::string_view why) = 0;
};

struct Script {
  ScriptStage stage;
  std::string text;
  std::optional<Resume> resume = std::nullopt;
  /// Outlives the call; null: none.
  StageNote* note = nullptr;
};

struct DefaultService;

/// What prepare needs beside the plan and may not be stored: read from the
/// response file and the environment by the caller.
struct PrepareInput {
  const Job& job;
  /// The job's variables as CUSTOM_ENV_ gives them: expanded, runner-internal
  /// ones included; a file variable's value is its content.
  const Variables& expanded;
  /// Variables a container may be started with: public or runner-internal,
  /// expanded, file variables as their path (common/build.go, GetServiceVariables).
  const Variables& container_environment;
  /// The settings' services, by ServiceSpec::settings_index.
  const std::vector<DefaultService>* default_services = nullptr;
  /// Null: none.
  const JobSecrets* secrets = nullptr;
};

/// The variables that a service is given beside the job's: those of the job's or the
/// settings' entry for it, not expanded, then ServiceSpec::added.
std::vector<Variable> own_variables(const PrepareInput& input, const ServiceSpec& service);

struct CleanupReport {
  unsigned removed = 0;
  /// What could not be removed, with the engine's words.
  std::vector<std::string> failures;
};

/// Where job containers live. Implementations keep no state between calls but
/// connections; each call may come from another process.
/// Errors: support/error.hpp; support::Cancelled when stop was requested.
class Backend {
 public:
  virtual ~Backend() = default;

  /// Makes the job's containers and waits until their agents answer. On failure
  /// what it made may remain: cleanup removes it. A second call for another
  /// attempt of the same job is independent; leftovers of dead attempts are
  /// removed on the way.
  virtual Sandbox prepare(const JobSpec& spec, const PrepareInput& input, Console& console,
                          std::stop_token stop) = 0;

  /// Runs the script once. When stop is requested its processes are ended, the
  /// output written so far is delivered, and Cancelled is thrown; containers stay.
  virtual ExitStatus run(const JobSpec& spec, const Sandbox& sandbox, const Script& script,
                         OutputSink& output, Console& console, std::stop_token stop) = 0;

  /// Removes everything of the attempt. Idempotent; finds objects by label where
  /// the sandbox does not name them; an unknown job is a success.
  virtual CleanupReport cleanup(const JobSpec& spec, const Sandbox* sandbox, Console& console,
                                std::stop_token stop) = 0;
};

}  // namespace berth::core
