#include "executor/gitlab/script_values.hpp"
#include "executor/gitlab/shell_word.hpp"
#include "executor/process/process.hpp"
#include "executor/support/base64.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <random>

using namespace berth;
using gitlab::change_values;
using gitlab::ValueChange;
using support::Secret;

namespace {

const std::string k_file = "{\"auths\": {\"r.example.com\": {\"auth\": \"bWU6c2VjcmV0Pz8+\"}}}\n";
const std::string k_line = support::base64_encode(k_file);

std::string wrapped(const std::string& text, std::size_t columns, const std::string& line_end) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); at += columns) {
    if (at > 0) result += line_end;
    result += text.substr(at, columns);
  }
  return result;
}

/// Quoted as the runner does by default, which is not what `berth local` does:
/// letters for control characters, and more characters that need no quotes there
/// need them here (helpers/shell_escape.go).
std::string runner_quoted(std::string_view text) {
  constexpr std::string_view k_letters = "abtnvfr";
  constexpr std::string_view k_bytes = "\a\b\t\n\v\f\r";
  std::string result;
  bool quoted = false;
  for (const char c : text) {
    const std::size_t control = k_bytes.find(c);
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view(",-./@_").find(c) != std::string_view::npos;
    quoted = quoted || !plain;
    if (control != std::string_view::npos) {
      result += {'\\', k_letters[control]};
    } else if (c == '\'' || c == '\\') {
      result += {'\\', c};
    } else if (c < ' ' || c > '~') {
      std::array<char, 8> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned char>(c));
      result += hex.data();
    } else {
      result += c;
    }
  }
  return quoted ? "$'" + result + "'" : result;
}

/// As with FF_POSIXLY_CORRECT_ESCAPES.
std::string posix_quoted(std::string_view text) {
  constexpr std::string_view k_escaped = "`\"\\$";
  std::string result;
  bool quoted = false;
  for (const char c : text) {
    const bool escaped = k_escaped.find(c) != std::string_view::npos;
    quoted =
        quoted || escaped || std::string_view(" !#%&()*<=>?[|").find(c) != std::string_view::npos;
    if (escaped) result += '\\';
    result += c;
  }
  return quoted ? "\"" + result + "\"" : result;
}

std::string framed(const std::string& word, bool legacy) {
  const std::string head =
      "#!/usr/bin/env bash\n\ntrap 'exit 1' TERM\n\ncase \"$(set -o)\" in *\"pipefail\"*) set -o "
      "pipefail;; esac; set -o errexit\nset +o noclobber\n";
  return head +
         (legacy ? ": | eval " + word + "\n"
                 : "(trap 'exit 1' TERM; eval " + word + ") < /dev/null\n") +
         "exit 0\n";
}

std::string body_of(const std::string& value, const std::string& path) {
  return "export BEFORE=" + runner_quoted("it's \\ \"$x\" `y`\nü") +
         "\nexport KEY=" + runner_quoted(value) + "\nprintf '%s' " + runner_quoted(value) +
         " > \"" + path + "\"\nexport FILE=\"" + path + "\"\n" +
         "printf '%s|' \"$BEFORE\" \"$KEY\"; cat \"$FILE\"; echo; echo $KEY | base64 -d\n";
}

/// Shells that run job scripts, as far as this machine has them.
std::vector<std::vector<std::string>> shells() {
  std::vector<std::vector<std::string>> all{{"bash"}};
  for (const char* busybox : {"/bin/busybox", "/usr/bin/busybox"})
    if (std::filesystem::exists(busybox)) {
      all.push_back({busybox, "ash"});
      break;
    }
  return all;
}

std::string run(const std::vector<std::string>& shell, const Secret& script) {
  process::ProcessSpec spec;
  spec.argv = shell;
  spec.input = script;
  const auto result = process::make_process_runner()->run(spec, {});
  INFO(result.errors);
  CHECK(result.success());
  return std::string(result.output.expose());
}

}  // namespace

TEST_CASE("words are read as a shell reads them") {
  const auto value_of = [](std::string_view text) -> std::string {
    const auto word = gitlab::read_shell_word(text, 0);
    return word ? word->value + "|" + std::string(text.substr(word->end)) : "(none)";
  };
  CHECK(value_of("abc def") == "abc| def");
  CHECK(value_of("a+b/c==\n") == "a+b/c==|\n");
  CHECK(value_of("$'a\\nb\\x41\\'\\\\\\r' x") == "a\nbA'\\\r| x");
  CHECK(value_of("\"a \\\"\\$\\`\\\\ b\") <") == "a \"$`\\ b|) <");
  CHECK(value_of("'' ") == "| ");
  CHECK(value_of("'a b'") == "a b|");
  for (const char* text : {"\"a $b\"", "\"a `b`\"", "$'a", "\"a", "'a", "$'\\u0041'", "$'\\x4'",
                           "a$b", "a\"b\"", "$'a'b", "\"a\"'b'", "\"\\a\"", "a*"})
    CHECK(value_of(text) == "(none)");
}

TEST_CASE("a damaged value becomes one line, and nothing else changes") {
  const tests::TempDir directory;
  const std::string path = (directory.path() / "file").string();
  for (const std::string& damaged :
       {wrapped(k_line, 20, "\n"), wrapped(k_line, 20, "\r\n") + "\r\n",
        wrapped(k_line, 20, " ")}) {
    const std::string before = body_of(damaged, path);
    const std::string after = "export BEFORE=" + runner_quoted("it's \\ \"$x\" `y`\nü") +
                              "\nexport KEY=" + k_line + "\nprintf '%s' " + k_line +
                              before.substr(before.find(" > \""));
    for (const bool legacy : {false, true}) {
      const std::string script = framed(runner_quoted(before), legacy);
      const auto changed = change_values(script, {{Secret(damaged), Secret(k_line)}});
      CHECK(changed.changes == 2);
      CHECK(changed.script.expose() == framed(runner_quoted(after), legacy));
      for (const auto& shell : shells()) {
        INFO(shell.back());
        CHECK(run(shell, changed.script) ==
              "it's \\ \"$x\" `y`\nü|" + k_line + "|" + k_line + "\n" + k_file);
      }
    }
  }
}

TEST_CASE("every way in which scripts are written is understood") {
  const std::string damaged = wrapped(k_line, 20, "\n");
  for (const auto& inner : {runner_quoted, posix_quoted}) {
    for (const auto& outer : {runner_quoted, posix_quoted}) {
      const std::string body = "export KEY=" + inner(damaged) + "\n  echo \"$KEY\" | base64 -d\n";
      const std::string script = framed(outer(body), false);
      const auto changed = change_values(script, {{Secret(damaged), Secret(k_line)}});
      CHECK(changed.changes == 1);
      for (const auto& shell : shells()) CHECK(run(shell, changed.script) == k_file);
    }
  }
}

TEST_CASE("a value without quotes is found to its end") {
  const std::string value = "YWJj-_8";
  const auto script = [&](const std::string& written) {
    return framed(runner_quoted("export A=" + written + "\necho \"$A\"\n"), false);
  };
  const std::vector<ValueChange> change{{Secret(value), Secret("YWJj+/8=")}};
  CHECK(change_values(script(value), change).changes == 1);
  CHECK(change_values(script(value + "x"), change).changes == 0);
  CHECK(change_values(script("x" + value), change).changes == 0);
  CHECK(change_values(script("$'" + value + "'"), change).changes == 1);
}

TEST_CASE("line ends without quotes, as FF_POSIXLY_CORRECT_ESCAPES leaves them, are understood") {
  const std::string damaged = "YWJjZGVm\nZ2hpamts";
  const std::string script = framed("\"export A=" + damaged + "\necho \\\"\\$A\\\"\n\"", false);
  const auto changed = change_values(script, {{Secret(damaged), Secret("YWJjZGVmZ2hpamts")}});
  CHECK(changed.changes == 1);
  for (const auto& shell : shells()) CHECK(run(shell, changed.script) == "YWJjZGVmZ2hpamts\n");
}

TEST_CASE("what is no such value stays as it is") {
  const std::string damaged = wrapped(k_line, 20, "\n");
  const std::vector<ValueChange> change{{Secret(damaged), Secret(k_line)}};
  const auto unchanged = [&](const std::string& script, const std::vector<ValueChange>& changes) {
    const auto result = change_values(script, changes);
    return result.changes == 0 && result.script.expose() == script;
  };
  CHECK(unchanged("", change));
  CHECK(unchanged("export KEY=" + runner_quoted(damaged) + "\n", change));
  CHECK(unchanged(framed(runner_quoted("echo " + runner_quoted(damaged) + "\n"), false), change));
  CHECK(unchanged(framed(runner_quoted("export K=" + runner_quoted(damaged + "\n") + "\n"), false),
                  change));
  CHECK(unchanged(framed("\"$BODY\"", false), change));
  const std::string good =
      framed(runner_quoted("export K=" + runner_quoted(damaged) + "\n"), false);
  CHECK(unchanged(good, {}));
  CHECK(unchanged(good, {{Secret(damaged), Secret("two words")}}));
  CHECK(unchanged(good, {{Secret(damaged), Secret("$(id)")}}));
  CHECK(change_values(good, change).changes == 1);
}

TEST_CASE("random values in random company") {
  std::mt19937 random(31);
  const auto text = [&](std::size_t size) {
    constexpr std::string_view k_letters = "ab'\"\\$`\n\r =;{}~\xc3\xbc";
    std::string result;
    while (result.size() < size) result += k_letters[random() % k_letters.size()];
    return result;
  };
  for (int round = 0; round < 300; ++round) {
    const std::string from = "x" + text(1 + random() % 12) + "\n";
    std::string before = "export A=" + runner_quoted(text(random() % 20)) + "\n  export B=";
    std::string after = "\nexport C=" + runner_quoted(text(random() % 20)) + "\n";
    const auto script = [&](const std::string& word) {
      return framed(runner_quoted(before + word + after), round % 2 == 0);
    };
    const auto changed =
        change_values(script(runner_quoted(from)), {{Secret(from), Secret("QUJD")}});
    CHECK(changed.changes == 1);
    CHECK(changed.script.expose() == script("QUJD"));
  }
}
