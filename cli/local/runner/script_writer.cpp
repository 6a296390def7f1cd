#include "cli/local/runner/script_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace berth::local::runner {
namespace {

/// SIGTERM must end the shell by its own exit: a shell that a signal kills may
/// print the text of what it ran, and with it every variable.
constexpr std::string_view k_exit_on_term = "trap 'exit 1' TERM";
constexpr std::string_view k_now = "$(awk 'BEGIN{srand(); print srand()}')";
constexpr std::string_view k_erase_line = "\033[0K";
constexpr std::string_view k_green = "\033[32;1m";
constexpr std::string_view k_yellow = "\033[0;33m";
constexpr std::string_view k_reset = "\033[0;m";

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_-./:,+@%=^").find(c) != std::string_view::npos;
}

std::string quote_double(std::string_view word, std::string_view escaped) {
  std::string result = "\"";
  for (const char c : word) {
    if (escaped.find(c) != std::string_view::npos) result.push_back('\\');
    result.push_back(c);
  }
  return result + "\"";
}

}  // namespace

std::string quote_ansi(std::string_view word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
  std::string result = "$'";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '\\' || c == '\'') {
      result += {'\\', c};
    } else if (byte < 0x20 || byte >= 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result.push_back(c);
    }
  }
  return result + "'";
}

std::string quote_posix(std::string_view word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
  return quote_double(word, "\\\"$`");
}

std::string quote_expanding(std::string_view word) {
  return quote_double(word, "\\\"`");
}

void ScriptWriter::line(std::string_view text) {
  m_body.append(static_cast<std::size_t>(m_depth) * 2, ' ');
  m_body.append(text);
  m_body.push_back('\n');
}

std::string ScriptWriter::command_text(const Words& words, bool expanding) const {
  std::string text = quoted(words.front());
  for (auto word = words.begin() + 1; word != words.end(); ++word) {
    text += " " + (expanding ? quote_expanding(*word) : quoted(*word));
  }
  return text;
}

void ScriptWriter::check_exit_code() {
  if (m_style.check_exit_codes) {
    line("_runner_exit_code=$?; if [ $_runner_exit_code -ne 0 ]; then exit $_runner_exit_code; fi");
  }
}

void ScriptWriter::checked(const std::string& text) {
  line(text);
  check_exit_code();
}

void ScriptWriter::feed_ignoring_failure(const std::string& text, const Words& words) {
  line(command_text({"echo", text}, false) + " | " + command_text(words, false) + " || true");
}

void ScriptWriter::branch(const std::string& condition, const Body& then, const Body& otherwise) {
  line("if " + condition + "; then");
  ++m_depth;
  then();
  if (otherwise) {
    --m_depth;
    line("else");
    ++m_depth;
    otherwise();
  }
  --m_depth;
  line("fi");
}

void ScriptWriter::if_succeeds(const Words& words, const Body& then, const Body& otherwise) {
  branch(command_text(words, false), then, otherwise);
}

void ScriptWriter::if_succeeds_quietly(const Words& words, const Body& then,
                                       const Body& otherwise) {
  branch(command_text(words, false) + " >/dev/null 2>&1", then, otherwise);
}

void ScriptWriter::if_succeeds_expanding(const Words& words, const Body& then,
                                         const Body& otherwise) {
  branch(command_text(words, true), then, otherwise);
}

void ScriptWriter::if_path(char test, const std::string& path, const Body& then,
                           const Body& otherwise) {
  branch(fmt::format("[ -{} {} ]", test, quote_expanding(path)), then, otherwise);
}

void ScriptWriter::say(Tone tone, std::string_view text) {
  const std::string_view colour = tone == Tone::notice    ? k_green
                                  : tone == Tone::warning ? k_yellow
                                                          : k_reset;
  line("echo " + quoted(fmt::format("{}{}{}", colour, text, tone == Tone::plain ? "" : k_reset)));
}

void ScriptWriter::remove_directory(const std::string& path) {
  if_path('d', path, [&] { run_expanding({"chmod", "-R", "u+rwX", path}); });
  run_expanding({"rm", "-r", "-f", path});
}

void ScriptWriter::remove_named(const std::string& path, std::string_view name, char kind) {
  if_path('d', path, [&] {
    line(fmt::format("find {} -name {} -type {}{} {{}} +", quote_expanding(path),
                     quote_expanding(name), kind,
                     kind == 'd' ? " -depth -exec rm -rf --" : " -exec rm -f"));
  });
}

void ScriptWriter::export_value(const std::string& key, std::string_view value) {
  line(fmt::format("export {}={}", quoted(key), quoted(value)));
}

void ScriptWriter::export_file(const std::string& key, std::string_view content,
                               const std::string& path, const std::string& directory) {
  line("mkdir -p " + quote_expanding(directory));
  line(fmt::format("printf '%s' {} > {}", quoted(content), quote_expanding(path)));
  line(fmt::format("export {}={}", quoted(key), quote_expanding(path)));
}

void ScriptWriter::import_environment(const std::string& path, const std::string& directory) {
  line("mkdir -p " + quote_expanding(directory));
  line("touch " + quote_expanding(path));
  line("while read -r line; do export \"$line\"; done < " + quote_expanding(path));
}

void ScriptWriter::section_start(const std::string& name, std::string_view title,
                                 std::string_view options) {
  line(fmt::format("printf '%b\\n' section_start:{}:section_{}{}\r{}{}", k_now, name, options,
                   k_erase_line, quoted(fmt::format("{}{}{}", k_green, title, k_reset))));
}

void ScriptWriter::section_end(const std::string& name) {
  line(fmt::format("printf '%b\\n' section_end:{}:section_{}\r{}", k_now, name, k_erase_line));
}

std::string ScriptWriter::finish() const {
  std::string script = fmt::format("#!/usr/bin/env {}\n\n{}\n\n", m_style.shell, k_exit_on_term);
  if (m_style.trace) script += "set -o xtrace\n";
  script += "case \"$(set -o)\" in *\"pipefail\"*) set -o pipefail;; esac; set -o errexit\n";
  script += "set +o noclobber\n";
  if (m_style.legacy_eval) {
    script += ": | eval " + quoted(m_body) + "\n";
  } else {
    script += fmt::format("({}; eval {}) < /dev/null\n", k_exit_on_term, quoted(m_body));
  }
  return script + "exit 0\n";
}

}  // namespace berth::local::runner
