#include "cli/local/runner/job_settings.hpp"

#include "cli/local/runner/feature_flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace berth::local::runner {
namespace {

std::vector<std::string> split_fields(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> fields;
  for (std::string field; stream >> field;) fields.push_back(field);
  return fields;
}

class Reader {
 public:
  Reader(const VariableList& variables, JobSettings& settings)
      : m_variables(variables), m_settings(settings) {}

  std::string text(const char* key) const { return m_variables.value(key); }

  bool boolean(const char* key, bool fallback) {
    const std::string raw = text(key);
    if (raw.empty()) return fallback;
    const bool value = parse_bool(raw, fallback);
    if (value != parse_bool(raw, !fallback)) {
      problem("{}: expected bool got \"{}\", using default value: {}", key, raw, fallback);
    }
    return value;
  }

  int integer(const char* key, int fallback) {
    const std::string raw = text(key);
    if (raw.empty()) return fallback;
    int value = 0;
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
    if (error == std::errc() && end == raw.data() + raw.size()) return value;
    problem("{}: expected int got \"{}\", using default value: {}", key, raw, fallback);
    return fallback;
  }

  int attempts(const char* key) {
    const int value = integer(key, 1);
    const int clamped = std::clamp(value, 1, 10);
    if (clamped != value) {
      problem("{}: number of attempts out of the range [1, 10], clamping to: {}", key, clamped);
    }
    return clamped;
  }

  std::vector<std::string> flags(const char* key, std::vector<std::string> fallback) const {
    const std::string raw = text(key);
    if (raw.empty()) return fallback;
    return raw == "none" ? std::vector<std::string>{} : split_fields(raw);
  }

  GitStrategy git_strategy(GitStrategy fallback) {
    const std::string raw = text("GIT_STRATEGY");
    if (raw == "clone") return GitStrategy::clone;
    if (raw == "fetch") return GitStrategy::fetch;
    if (raw == "none") return GitStrategy::none;
    if (raw == "empty") return GitStrategy::empty;
    if (!raw.empty()) {
      problem(
          "GIT_STRATEGY: expected either 'clone', 'fetch', 'none' or 'empty' got \"{}\", using "
          "default value '{}'",
          raw, fallback == GitStrategy::fetch ? "fetch" : "clone");
    }
    return fallback;
  }

  SubmoduleStrategy submodule_strategy() {
    const std::string raw = text("GIT_SUBMODULE_STRATEGY");
    if (raw.empty() || raw == "none") return SubmoduleStrategy::none;
    if (raw == "normal") return SubmoduleStrategy::normal;
    if (raw == "recursive") return SubmoduleStrategy::recursive;
    problem("GIT_SUBMODULE_STRATEGY: expected either 'normal', 'recursive' or 'none' got \"{}\"",
            raw);
    return SubmoduleStrategy::invalid;
  }

 private:
  template <typename... Values>
  void problem(fmt::format_string<Values...> format, Values&&... values) {
    m_settings.problems.push_back(fmt::format(format, std::forward<Values>(values)...));
  }

  const VariableList& m_variables;
  JobSettings& m_settings;
};

/// config.toml beats the job.
void read_feature_flags(Reader& reader, const RunnerConfig& config, JobSettings& settings) {
  for (const FeatureFlag& flag : feature_flags()) {
    const std::string name(flag.name);
    const auto configured = config.feature_flags.find(name);
    const bool value = configured != config.feature_flags.end()
                           ? configured->second
                           : reader.boolean(name.c_str(), flag.default_value);
    settings.feature_flags[name] = value;
    if (value != flag.default_value && !flag.simulated) {
      settings.problems.push_back(fmt::format("{}: this local runner behaves as without it", name));
    }
  }
}

}  // namespace

bool JobSettings::flag(std::string_view name) const {
  const auto found = feature_flags.find(name);
  return found != feature_flags.end() && found->second;
}

JobSettings read_job_settings(const VariableList& variables, const Payload& payload,
                              const RunnerConfig& config) {
  JobSettings settings;
  Reader reader(variables, settings);
  settings.debug_trace = reader.boolean("CI_DEBUG_TRACE", false);
  if (settings.debug_trace && config.debug_trace_disabled) {
    settings.debug_trace = false;
    settings.problems.emplace_back("CI_DEBUG_TRACE: usage is disabled on this Runner");
  }
  settings.git_clone_path = reader.text("GIT_CLONE_PATH");
  settings.git_strategy =
      reader.git_strategy(payload.allow_git_fetch ? GitStrategy::fetch : GitStrategy::clone);
  settings.git_checkout = reader.boolean("GIT_CHECKOUT", true);
  settings.submodule_strategy = reader.submodule_strategy();
  if (settings.git_strategy == GitStrategy::none || settings.git_strategy == GitStrategy::empty) {
    settings.git_checkout = false;
    settings.submodule_strategy = SubmoduleStrategy::none;
  }
  settings.submodule_paths = split_fields(reader.text("GIT_SUBMODULE_PATHS"));
  settings.submodule_depth = reader.integer("GIT_SUBMODULE_DEPTH", payload.git_info.depth);
  settings.git_clean_flags = reader.flags("GIT_CLEAN_FLAGS", {"-ffdx"});
  settings.git_fetch_flags = reader.flags("GIT_FETCH_EXTRA_FLAGS", {"--prune", "--quiet"});
  settings.submodule_update_flags = reader.flags("GIT_SUBMODULE_UPDATE_FLAGS", {});
  settings.lfs_skip_smudge = reader.boolean("GIT_LFS_SKIP_SMUDGE", false);
  settings.submodule_force_https = reader.boolean("GIT_SUBMODULE_FORCE_HTTPS", false);
  settings.get_sources_attempts = reader.attempts("GET_SOURCES_ATTEMPTS");
  settings.artifact_download_attempts = reader.attempts("ARTIFACT_DOWNLOAD_ATTEMPTS");
  settings.restore_cache_attempts = reader.attempts("RESTORE_CACHE_ATTEMPTS");
  settings.after_script_ignore_errors = reader.boolean("AFTER_SCRIPT_IGNORE_ERRORS", true);
  settings.cache_request_timeout = reader.integer("CACHE_REQUEST_TIMEOUT", 10);
  read_feature_flags(reader, config, settings);
  return settings;
}

}  // namespace berth::local::runner
