#include "cli/local/masker.hpp"

#include <algorithm>
#include <utility>

namespace berth::local {

Masker::Masker(std::vector<std::string> secrets, Sink sink)
    : m_secrets(std::move(secrets)), m_sink(std::move(sink)) {
  std::erase(m_secrets, "");
  // Longest first: of two that begin alike the whole of the longer must go.
  std::ranges::sort(m_secrets,
                    [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

void Masker::feed(std::string_view bytes) {
  m_held.append(bytes);
  const std::string_view held = m_held;
  std::string clear;
  std::size_t at = 0;
  while (at < held.size()) {
    const std::string_view rest = held.substr(at);
    const auto begun = std::ranges::find_if(m_secrets, [rest](const std::string& secret) {
      return secret.size() > rest.size() ? std::string_view(secret).starts_with(rest)
                                         : rest.starts_with(secret);
    });
    if (begun == m_secrets.end()) {
      clear.push_back(held[at++]);
    } else if (begun->size() <= rest.size()) {
      clear += "[MASKED]";
      at += begun->size();
    } else {
      break;  // may become a secret with the next bytes
    }
  }
  m_held.erase(0, at);
  if (!clear.empty()) m_sink(clear);
}

void Masker::flush() {
  // What is held may begin with a whole secret that is also the beginning of a longer one.
  const std::string held = std::exchange(m_held, {});
  std::string clear;
  std::string_view rest = held;
  while (!rest.empty()) {
    const auto whole = std::ranges::find_if(
        m_secrets, [rest](const std::string& secret) { return rest.starts_with(secret); });
    clear += whole == m_secrets.end() ? std::string(rest.substr(0, 1)) : "[MASKED]";
    rest.remove_prefix(whole == m_secrets.end() ? 1 : whole->size());
  }
  if (!clear.empty()) m_sink(clear);
}

}  // namespace berth::local
