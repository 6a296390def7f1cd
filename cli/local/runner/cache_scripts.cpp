#include "cli/local/runner/cache_key.hpp"
#include "cli/local/runner/script_parts.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <stdexcept>

namespace berth::local::runner {
namespace {

using Tone = ScriptWriter::Tone;

/// One archive: its name for people, and its two possible files (with and
/// without hashed keys), relative to the project directory.
struct Archive {
  std::string key;
  std::string file;
  std::string alternate_file;
};

Words path_arguments(const Cache& cache) {
  Words words;
  for (const std::string& path : cache.paths) words.insert(words.end(), {"--path", path});
  if (cache.untracked) words.emplace_back("--untracked");
  return words;
}

/// Says what is wrong with a key, and returns nothing then.
std::optional<Archive> archive_of(ScriptWriter& out, const BuildContext& context,
                                  const std::string& raw_key, std::string_view action) {
  const bool hashed = context.flag("FF_HASH_CACHE_KEYS");
  const auto clean = hashed ? std::optional(raw_key) : sanitize_cache_key(raw_key);
  if (!clean && !raw_key.empty()) {
    out.say(Tone::warning, fmt::format("cache key \"{}\" could not be sanitized", raw_key));
  } else if (clean && *clean != raw_key) {
    out.say(Tone::warning, fmt::format("cache key \"{}\" sanitized to \"{}\"", raw_key, *clean));
  }
  if (!clean || clean->empty()) {
    out.say(Tone::notice, fmt::format("Skipping cache {} due to empty cache key", action));
    return std::nullopt;
  }
  const auto file = [&context](const std::string& key) {
    return std::filesystem::path(context.cache_dir() + "/" + key + "/cache.zip")
        .lexically_relative(context.project_dir())
        .string();
  };
  const std::string digest = hashed_cache_key(*clean);
  return Archive{.key = *clean,
                 .file = file(hashed ? digest : *clean),
                 .alternate_file = file(hashed ? *clean : digest)};
}

std::string raw_key(const BuildContext& context, const Cache& cache) {
  if (!cache.key.empty()) return context.variables().expand(cache.key);
  return std::filesystem::path(context.payload().job_info.name + "/" +
                               context.payload().git_info.ref)
      .lexically_normal()
      .string();
}

/// True when the policy has the wanted half.
bool policy_allows(const BuildContext& context, const Cache& cache, std::string_view wanted) {
  const std::string policy = context.variables().expand(cache.policy);
  if (policy.empty() || policy == "pull-push") return true;
  if (policy != "pull" && policy != "push") {
    throw std::runtime_error(
        fmt::format("unknown cache policy {} for {}", policy, raw_key(context, cache)));
  }
  return policy == wanted;
}

/// The archive, else the next one.
void write_extract(ScriptWriter& out, const BuildContext& context, const Cache& cache,
                   const std::vector<Archive>& archives, std::size_t index) {
  const Archive& archive = archives[index];
  out.say(Tone::notice, fmt::format("Checking cache for {}...", archive.key));
  out.if_succeeds(
      {std::string(k_runner_command), "cache-extractor", "--file", archive.file, "--timeout",
       std::to_string(context.settings().cache_request_timeout)},
      [&] { out.say(Tone::notice, "Successfully extracted cache"); },
      [&] {
        out.say(Tone::warning, "Failed to extract cache");
        if (context.flag("FF_CLEAN_UP_FAILED_CACHE_EXTRACT")) {
          for (const std::string& path : cache.paths) {
            out.say(Tone::plain, "Removing " + path);
            out.remove_directory(path);
          }
        }
        if (index + 1 < archives.size()) write_extract(out, context, cache, archives, index + 1);
      });
}

std::vector<Archive> archives_to_try(ScriptWriter& out, const BuildContext& context,
                                     const Cache& cache) {
  std::vector<Archive> archives;
  const auto add = [&](const std::string& key) {
    if (auto archive = archive_of(out, context, key, "extraction")) archives.push_back(*archive);
  };
  add(raw_key(context, cache));
  if (archives.empty()) return archives;
  for (const std::string& key : cache.fallback_keys) {
    if (const std::string expanded = context.variables().expand(key); !expanded.empty())
      add(expanded);
  }
  const std::string fallback = context.variables().value("CACHE_FALLBACK_KEY");
  if (fallback.substr(0, fallback.find_last_not_of(". ") + 1).ends_with("-protected")) {
    out.say(
        Tone::warning,
        fmt::format("CACHE_FALLBACK_KEY \"{}\" not allowed to end in \"-protected\"", fallback));
  } else if (!fallback.empty()) {
    add(fallback);
  }
  return archives;
}

/// Metadata travels by a file, so that older helpers need no new flag.
std::string write_metadata(ScriptWriter& out, const BuildContext& context, const Archive& archive) {
  std::string file = context.temp_file(k_cache_env_file);
  const std::string metadata = nlohmann::json{{"cachekey", archive.key}}.dump();
  out.line(fmt::format("printf '%s\\n' {} > {}",
                       out.quoted("CACHE_METADATA=" + nlohmann::json(metadata).dump()),
                       quote_expanding(file)));
  return file;
}

}  // namespace

bool write_restore_cache(ScriptWriter& out, const BuildContext& context) {
  write_exports(out, context);
  write_change_directory(out, context);
  bool any = false;
  for (const Cache& cache : context.payload().cache) {
    if (path_arguments(cache).empty()) continue;
    any = true;
    if (!policy_allows(context, cache, "pull")) {
      if (const auto archive = archive_of(out, context, raw_key(context, cache), "extraction")) {
        out.say(Tone::notice, fmt::format("Not downloading cache {} due to policy", archive->key));
      }
      continue;
    }
    const auto archives = archives_to_try(out, context, cache);
    if (archives.empty()) continue;
    write_guarded(out, "Extracting cache",
                  [&] { write_extract(out, context, cache, archives, 0); });
  }
  if (any) write_ownership(out, context, {context.cache_dir(), context.builds_dir()});
  return any;
}

bool write_archive_cache(ScriptWriter& out, const BuildContext& context, bool job_succeeded) {
  write_exports(out, context);
  write_change_directory(out, context);
  bool any = false;
  for (const Cache& cache : context.payload().cache) {
    const bool wanted = cache.when == "always" || (cache.when == "on_failure") != job_succeeded;
    const Words paths = path_arguments(cache);
    if (!wanted || paths.empty()) continue;
    any = true;
    const auto archive = archive_of(out, context, raw_key(context, cache), "archiving");
    if (!archive) continue;
    if (!policy_allows(context, cache, "push")) {
      out.say(Tone::notice, fmt::format("Not uploading cache {} due to policy", archive->key));
      continue;
    }
    write_guarded(out, "Creating cache", [&] {
      out.say(Tone::notice, fmt::format("Creating cache {}...", archive->key));
      const std::string env_file = write_metadata(out, context, *archive);
      Words command{std::string(k_runner_command),
                    "cache-archiver",
                    "--file",
                    archive->file,
                    "--alternate-file",
                    archive->alternate_file,
                    "--timeout",
                    std::to_string(context.settings().cache_request_timeout)};
      command.insert(command.end(), paths.begin(), paths.end());
      command.insert(command.end(), {"--env-file", env_file});
      out.if_succeeds(
          command, [&] { out.say(Tone::notice, "Created cache"); },
          [&] { out.say(Tone::warning, "Failed to create cache"); });
      out.remove_file(env_file);
    });
  }
  return any;
}

}  // namespace berth::local::runner
