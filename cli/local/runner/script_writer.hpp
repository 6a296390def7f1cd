#pragma once

#include "cli/local/runner/variables.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::local::runner {

using Words = std::vector<std::string>;

/// The word as bash and BusyBox ash read it back byte for byte: `$'...'`, or
/// the bare word where it holds nothing a shell would look at.
std::string quote_ansi(std::string_view word);
/// The word within double quotes, nothing in it live: understood by any shell.
std::string quote_posix(std::string_view word);
/// Within double quotes, `$NAME` live.
std::string quote_expanding(std::string_view word);

struct ScriptStyle {
  std::string shell = "bash";
  bool posix_quotes = false;      ///< FF_POSIXLY_CORRECT_ESCAPES
  bool check_exit_codes = false;  ///< FF_ENABLE_BASH_EXIT_CODE_CHECK
  bool legacy_eval = false;       ///< FF_USE_LEGACY_BASH_EVAL
  bool trace = false;             ///< CI_DEBUG_TRACE
};

/// Builds one stage's script: lines of a body, wrapped at the end as the runner
/// wraps them (one eval in a subshell whose stdin is /dev/null).
class ScriptWriter {
 public:
  using Body = std::function<void()>;
  enum class Tone { plain, notice, warning };

  explicit ScriptWriter(ScriptStyle style) : m_style(std::move(style)) {}

  void line(std::string_view text);
  /// A command, its words quoted.
  void run(const Words& words) { checked(command_text(words, false)); }
  /// A command in whose arguments `$NAME` is live.
  void run_expanding(const Words& words) { checked(command_text(words, true)); }
  /// `command <<< text`, its failure ignored.
  void feed_ignoring_failure(const std::string& text, const Words& words);
  void if_succeeds(const Words& words, const Body& then, const Body& otherwise = {});
  /// As if_succeeds, with all output thrown away.
  void if_succeeds_quietly(const Words& words, const Body& then, const Body& otherwise = {});
  void if_succeeds_expanding(const Words& words, const Body& then, const Body& otherwise = {});
  /// `test` is d, e or r.
  void if_path(char test, const std::string& path, const Body& then, const Body& otherwise = {});

  void say(Tone tone, std::string_view text);
  void blank_line() { line("echo"); }
  void change_directory(const std::string& path) { run({"cd", path}); }
  void make_directory(const std::string& path) { run({"mkdir", "-p", path}); }
  void remove_file(const std::string& path) { run_expanding({"rm", "-f", path}); }
  void remove_directory(const std::string& path);
  /// Below `path`: files ('f') or directories ('d') of that name.
  void remove_named(const std::string& path, std::string_view name, char kind);

  void export_value(const std::string& key, std::string_view value);
  /// Writes the content to `path` and exports the path.
  void export_file(const std::string& key, std::string_view content, const std::string& path,
                   const std::string& directory);
  /// Lines KEY=value of a file become the environment.
  void import_environment(const std::string& path, const std::string& directory);
  void section_start(const std::string& name, std::string_view title, std::string_view options);
  void section_end(const std::string& name);
  /// After a line of the user's: leave with its status where the style asks so.
  void check_exit_code();

  std::string quoted(std::string_view word) const {
    return m_style.posix_quotes ? quote_posix(word) : quote_ansi(word);
  }
  std::string finish() const;

 private:
  std::string command_text(const Words& words, bool expanding) const;
  void checked(const std::string& text);
  void branch(const std::string& condition, const Body& then, const Body& otherwise);

  ScriptStyle m_style;
  std::string m_body;
  int m_depth = 0;
};

}  // namespace berth::local::runner
