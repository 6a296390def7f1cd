// .netrc, as curl and git read it (everything.curl.dev, "netrc").

#include "executor/credentials/types/recognise.hpp"
#include "executor/credentials/words.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace berth::credentials {
namespace {

using support::Secret;

/// Words between blanks, or in double quotes with backslashes; comments left out.
class Words {
 public:
  explicit Words(std::string_view text) : m_rest(text) {}

  std::optional<std::string> next() {
    for (;;) {
      while (!m_rest.empty() && is_blank(m_rest.front())) m_rest.remove_prefix(1);
      if (m_rest.empty()) return std::nullopt;
      if (m_rest.front() != '#') break;
      take_line(m_rest);
    }
    return m_rest.front() == '"' ? quoted() : plain();
  }

  /// A macro ends at an empty line.
  void skip_macro() {
    take_line(m_rest);
    while (!m_rest.empty() && !trimmed(take_line(m_rest)).empty()) continue;
  }

 private:
  std::string plain() {
    std::string word;
    while (!m_rest.empty() && !is_blank(m_rest.front())) take(word);
    return word;
  }

  std::string quoted() {
    std::string word;
    m_rest.remove_prefix(1);
    while (!m_rest.empty() && m_rest.front() != '"') {
      if (m_rest.front() == '\\' && m_rest.size() > 1) m_rest.remove_prefix(1);
      take(word);
    }
    if (!m_rest.empty()) m_rest.remove_prefix(1);
    return word;
  }

  void take(std::string& word) {
    word += m_rest.front();
    m_rest.remove_prefix(1);
  }

  std::string_view m_rest;
};

struct Machine {
  std::string name{};
  bool login = false;
  bool password = false;
};

}  // namespace

Recognised recognise_netrc(std::string_view text) {
  Credential credential;
  credential.type = Type::netrc;
  std::vector<Machine> machines;
  Words words(text);
  while (const auto word = words.next()) {
    if (machines.size() > k_max_entries)
      return damaged(Verdict::garbage, "the netrc has too many machines");
    if (*word == "default") {
      machines.push_back({.name = "default"});
      continue;
    }
    if (*word == "macdef") {
      words.skip_macro();
      continue;
    }
    const bool known =
        *word == "machine" || *word == "login" || *word == "password" || *word == "account";
    if (!known || (machines.empty() && *word != "machine"))
      return damaged(Verdict::garbage, "the netrc has a word that is no key");
    auto value = words.next();
    if (!value) return damaged(Verdict::truncated, fmt::format("nothing follows '{}'", *word));
    if (*word == "machine") {
      machines.push_back({.name = shown(*value)});
    } else if (*word == "login") {
      machines.back().login = true;
    } else if (*word == "password") {
      machines.back().password = true;
      credential.secrets.emplace_back(std::move(*value));
    }
  }
  std::vector<std::string> names;
  for (const Machine& machine : machines) {
    if (!machine.password)
      credential.problems.push_back(fmt::format("'{}' has no password", machine.name));
    if (!machine.login)
      credential.problems.push_back(fmt::format("'{}' has no login", machine.name));
    names.push_back(machine.name);
  }
  credential.subject = "for " + joined(first_few(std::move(names)), ", ");
  return settled(std::move(credential));
}

}  // namespace berth::credentials
