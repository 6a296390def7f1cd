// .npmrc (docs.npmjs.com, "npmrc": auth related configuration).

#include "executor/credentials/types/recognise.hpp"
#include "executor/credentials/words.hpp"
#include "executor/support/base64.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace berth::credentials {
namespace {

using support::Secret;

/// "${NPM_TOKEN}": npm puts a variable of the environment there.
bool is_reference(std::string_view value) {
  return value.starts_with("${") && value.ends_with('}');
}

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() > 1 && (value.front() == '"' || value.front() == '\'') &&
                      value.front() == value.back();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

class Reader {
 public:
  void line(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return;
    std::string_view key = trimmed(line.substr(0, equals));
    const std::string_view value = unquoted(trimmed(line.substr(equals + 1)));
    const std::size_t colon = key.rfind(":_");
    const bool scoped = key.starts_with("//") && colon != std::string_view::npos;
    const std::string host =
        scoped ? shown(key.substr(2, key.find('/', 2) - 2)) : std::string("every registry");
    if (scoped) key.remove_prefix(colon + 1);
    const bool encoded = key == "_auth" || key == "_password";
    if (!encoded && key != "_authToken") return;
    m_hosts.insert(host);
    if (is_reference(value)) {
      m_credential.notes.push_back(
          fmt::format("'{}' takes {} from the variable {}", host, key, shown(value)));
      return;
    }
    if (value.empty()) {
      m_cut = true;
      return;
    }
    m_credential.secrets.emplace_back(std::string(value));
    if (encoded) add_decoded(key, value, host);
  }

  Recognised finish() {
    if (m_cut) return damaged(Verdict::truncated, "a key has no value");
    m_credential.type = Type::npmrc;
    m_credential.subject = "for " + joined(first_few({m_hosts.begin(), m_hosts.end()}), ", ");
    return settled(std::move(m_credential));
  }

 private:
  void add_decoded(std::string_view key, std::string_view value, const std::string& host) {
    auto decoded = support::base64_decode(value);
    const bool fits = decoded && (key == "_password" || decoded->find(':') != std::string::npos);
    if (!fits) {
      m_credential.problems.push_back(fmt::format("'{}': {} is not base64 of a {}", host, key,
                                                  key == "_auth" ? "user:password" : "password"));
      return;
    }
    const std::size_t colon = key == "_auth" ? decoded->find(':') + 1 : 0;
    m_credential.secrets.emplace_back(decoded->substr(colon));
    if (colon > 0) m_credential.secrets.emplace_back(std::move(*decoded));
  }

  Credential m_credential;
  std::set<std::string> m_hosts;
  bool m_cut = false;
};

}  // namespace

Recognised recognise_npmrc(std::string_view text) {
  Reader reader;
  while (!text.empty()) reader.line(trimmed(take_line(text)));
  return reader.finish();
}

}  // namespace berth::credentials
