#include "cli/local/runner/script_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::local::runner {
namespace {

using Tone = ScriptWriter::Tone;

/// What git must match literally in a value pattern.
std::string regex_quoted(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos)
      result.push_back('\\');
    result.push_back(c);
  }
  return result;
}

bool uses_git(const BuildContext& context) {
  const GitStrategy strategy = context.settings().git_strategy;
  return strategy == GitStrategy::clone || strategy == GitStrategy::fetch;
}

/// The job's token by a helper that reads CI_JOB_TOKEN when git asks.
void write_credential_helper(ScriptWriter& out, const BuildContext& context,
                             const std::string& file) {
  const std::string section = "credential." + context.remote_url().base().text();
  out.run({"git", "config", "-f", file, "--replace-all", section + ".helper", ""});
  out.run({"git", "config", "-f", file, "--add", section + ".helper",
           R"(!f(){ test "$1" = get && echo "password=$CI_JOB_TOKEN"; }; f)"});
  out.run({"git", "config", "-f", file, section + ".username", "gitlab-ci-token"});
}

/// FF_GIT_URLS_WITHOUT_TOKENS: a global configuration of the job's own that
/// brings in the user's and the one with the credential helper.
void write_tokenless_seed(ScriptWriter& out, const BuildContext& context) {
  if (!context.flag("FF_GIT_URLS_WITHOUT_TOKENS")) return;
  const std::string seed = context.temp_file(k_git_global_conf);
  const std::string ext_conf = context.temp_file(k_git_ext_conf);
  out.remove_file(seed);
  for (const char* user_file : {"$HOME/.gitconfig", "$HOME/.config/git/config"}) {
    out.if_path('r', user_file, [&] {
      out.run_expanding({"git", "config", "--file", seed, "--add", "include.path", user_file});
    });
  }
  out.run({"git", "config", "--file", seed, "--add", "include.path", ext_conf});
  if (!uses_git(context)) {
    out.remove_file(ext_conf);
    write_credential_helper(out, context, ext_conf);
  }
}

void write_ext_conf(ScriptWriter& out, const BuildContext& context, const std::string& ext_conf) {
  out.remove_file(ext_conf);
  const auto set = [&](const std::string& key, const std::string& value) {
    out.run_expanding({"git", "config", "-f", ext_conf, key, value});
  };
  if (context.flag("FF_USE_GITALY_CORRELATION_ID")) {
    set("http.extraHeader", "X-Gitaly-Correlation-ID: " + context.correlation_id());
    out.say(Tone::notice, "Gitaly correlation ID: " + context.correlation_id());
  }
  if (context.flag("FF_USE_GIT_BUNDLE_URIS")) set("transfer.bundleURI", "true");
  const std::string host = context.remote_url().base().text();
  for (const auto& [variable, key] : {std::pair{"CI_SERVER_TLS_CA_FILE", "sslCAInfo"},
                                      std::pair{"CI_SERVER_TLS_CERT_FILE", "sslCert"},
                                      std::pair{"CI_SERVER_TLS_KEY_FILE", "sslKey"}}) {
    const Variable* found = context.variables().find(variable);
    if (found != nullptr && found->internal) {
      set(fmt::format("http.{}.{}", host, key), fmt::format("${}", variable));
    }
  }
  for (const auto& [with_credentials, without] : context.instead_of()) {
    out.run({"git", "config", "--file", ext_conf, "--replace-all",
             "url." + with_credentials + ".insteadOf", without, "^" + regex_quoted(without) + "$"});
  }
  if (context.flag("FF_GIT_URLS_WITHOUT_TOKENS")) write_credential_helper(out, context, ext_conf);
}

/// A template that new repositories start from; it includes the file that knows
/// the credentials, so that none stand in the checkout.
std::string write_template(ScriptWriter& out, const BuildContext& context) {
  std::string directory = context.temp_file(k_git_template);
  const std::string file = directory + "/config";
  const std::string ext_conf = context.temp_file(k_git_ext_conf);
  out.make_directory(directory);
  if (context.config().safe_directory_checkout) {
    out.run({"git", "config", "--global", "--add", "safe.directory", context.project_dir()});
  }
  for (const auto& [key, value] :
       {std::pair{"init.defaultBranch", "none"}, std::pair{"fetch.recurseSubmodules", "false"},
        std::pair{"credential.interactive", "never"}, std::pair{"gc.autoDetach", "false"}}) {
    out.run({"git", "config", "-f", file, key, value});
  }
  write_ext_conf(out, context, ext_conf);
  out.run({"git", "config", "--file", file, "--replace-all", "include.path", ext_conf,
           regex_quoted(k_git_ext_conf) + "$"});
  out.line(fmt::format("export {}={}", k_ext_conf_variable, quote_expanding(ext_conf)));
  return directory;
}

void write_fetch(ScriptWriter& out, const BuildContext& context, const std::string& template_dir) {
  const GitInfo& git = context.payload().git_info;
  out.say(Tone::notice, git.depth > 0
                            ? fmt::format("Fetching changes with git depth set to {}...", git.depth)
                            : "Fetching changes...");
  Words init{"git", "init", context.project_dir(), "--template", template_dir};
  if (!git.repo_object_format.empty() && git.repo_object_format != "sha1") {
    init.insert(init.end(), {"--object-format", git.repo_object_format});
  }
  out.run(init);
  write_change_directory(out, context);
  const std::string remote = context.remote_url().without_user().text();
  const std::string origin =
      context.remote_url().scheme.empty() ? context.remote_url().path : remote;
  out.if_succeeds_quietly(
      {"git", "remote", "add", "origin", origin},
      [&] { out.say(Tone::notice, "Created fresh repository."); },
      [&] {
        out.run({"git", "remote", "set-url", "origin", origin});
        // A template is not applied to a repository that exists.
        out.run_expanding({"git", "config", "--file", ".git/config", "--replace-all",
                           "include.path", fmt::format("${}", k_ext_conf_variable),
                           regex_quoted(k_git_ext_conf) + "$"});
      });

  Words fetch{"git",
              "-c",
              fmt::format("http.userAgent=gitlab-runner {} linux/amd64", k_runner_version),
              "fetch",
              "origin",
              "--no-recurse-submodules"};
  fetch.insert(fetch.end(), git.refspecs.begin(), git.refspecs.end());
  if (git.depth > 0) fetch.insert(fetch.end(), {"--depth", std::to_string(git.depth)});
  const auto& flags = context.settings().git_fetch_flags;
  fetch.insert(fetch.end(), flags.begin(), flags.end());
  if (git.depth > 0) return out.run(fetch);
  Words unshallow = fetch;
  unshallow.emplace_back("--unshallow");
  out.if_path(
      'e', ".git/shallow", [&] { out.run(unshallow); }, [&] { out.run(fetch); });
}

void write_checkout(ScriptWriter& out, const BuildContext& context) {
  const GitInfo& git = context.payload().git_info;
  out.say(Tone::notice, fmt::format("Checking out {} as detached HEAD (ref is {})...",
                                    git.sha.substr(0, 8), git.ref));
  out.run({"git", "-c", "submodule.recurse=false", "checkout", "-f", "-q", git.sha});
  Words clean{"git", "clean"};
  const auto& flags = context.settings().git_clean_flags;
  clean.insert(clean.end(), flags.begin(), flags.end());
  if (!flags.empty()) out.run(clean);
  if (!context.settings().lfs_skip_smudge) {
    out.if_succeeds_quietly({"git", "lfs", "version"}, [&] {
      out.run({"git", "lfs", "pull"});
      out.blank_line();
    });
  }
}

void write_strategy(ScriptWriter& out, const BuildContext& context) {
  switch (context.settings().git_strategy) {
    case GitStrategy::none:
      out.say(Tone::notice, "Skipping Git repository setup");
      out.make_directory(context.project_dir());
      break;
    case GitStrategy::empty:
      out.say(Tone::notice, "Skipping Git repository setup and creating an empty build directory");
      out.remove_directory(context.project_dir());
      out.make_directory(context.project_dir());
      break;
    case GitStrategy::clone:
    case GitStrategy::fetch: {
      write_git_leftovers_removal(out, context);
      const std::string template_dir = write_template(out, context);
      if (context.settings().git_strategy == GitStrategy::clone) {
        out.remove_directory(context.project_dir());
      }
      write_fetch(out, context, template_dir);
      break;
    }
  }
}

void write_hooks(ScriptWriter& out, const BuildContext& context, bool before) {
  const std::string name = before ? "pre_get_sources_script" : "post_get_sources_script";
  const std::string& of_runner =
      before ? context.config().pre_get_sources_script : context.config().post_get_sources_script;
  std::vector<std::string> lines;
  for (const Hook& hook : context.payload().hooks) {
    if (hook.name == name) lines.insert(lines.end(), hook.script.begin(), hook.script.end());
  }
  if (!of_runner.empty()) lines.insert(before ? lines.begin() : lines.end(), of_runner);
  if (!lines.empty() && uses_git(context)) {
    write_user_lines(out, context, before ? "pre_clone_script" : "post_clone_script", lines);
  }
}

}  // namespace

void write_git_leftovers_removal(ScriptWriter& out, const BuildContext& context) {
  const std::string git_dir = context.project_dir() + "/.git";
  const std::string modules = git_dir + "/modules";
  const SubmoduleStrategy strategy = context.settings().submodule_strategy;
  const bool with_modules =
      strategy == SubmoduleStrategy::normal || strategy == SubmoduleStrategy::recursive;
  for (const char* name :
       {"index.lock", "shallow.lock", "HEAD.lock", "hooks/post-checkout", "config.lock"}) {
    out.remove_file(git_dir + "/" + name);
    const std::string_view path(name);
    if (with_modules) out.remove_named(modules, path.substr(path.rfind('/') + 1), 'f');
  }
  out.remove_named(git_dir + "/refs", "*.lock", 'f');
  if (!context.config().clean_git_config.value_or(context.settings().git_strategy !=
                                                  GitStrategy::none)) {
    return;
  }
  for (const std::string& directory : {context.temp_file(k_git_template), git_dir}) {
    out.remove_file(directory + "/config");
    out.remove_directory(directory + "/hooks");
  }
  if (with_modules) {
    out.remove_named(modules, "config", 'f');
    out.remove_named(modules, "hooks", 'd');
  }
}

void write_credential_reject(ScriptWriter& out, const BuildContext& context) {
  const Url remote = context.remote_url().base();
  if (remote.host.empty() || !(remote.is_http() || remote.scheme == "ssh")) return;
  out.feed_ignoring_failure(fmt::format("url={}\nusername=gitlab-ci-token", remote.text()),
                            {"git", "credential", "reject"});
}

void write_get_sources(ScriptWriter& out, const BuildContext& context) {
  write_exports(out, context);
  out.export_value("GIT_TERMINAL_PROMPT", "0");
  out.export_value("GCM_INTERACTIVE", "Never");
  write_tokenless_seed(out, context);
  write_hooks(out, context, true);
  // Large files are pulled in one go after the checkout.
  if (!context.settings().lfs_skip_smudge) out.export_value("GIT_LFS_SKIP_SMUDGE", "1");
  write_strategy(out, context);
  if (context.settings().git_checkout) {
    write_checkout(out, context);
  } else {
    out.say(Tone::notice, "Skipping Git checkout");
  }
  write_submodules(out, context);
  write_hooks(out, context, false);
  write_ownership(out, context, {context.builds_dir()});
  write_credential_reject(out, context);
}

void write_clear_worktree(ScriptWriter& out, const BuildContext& context) {
  out.say(Tone::notice, "Deleting tracked and untracked files...");
  out.if_path('d', context.project_dir(), [&] {
    write_change_directory(out, context);
    out.run({"git", "rm", "-rf", "--ignore-unmatch", "--quiet", "."});
    out.run({"git", "clean", "-ffdx", "-q"});
  });
}

}  // namespace berth::local::runner
