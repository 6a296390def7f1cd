#include "executor/kubernetes/api/exec_plugin.hpp"

#include "executor/support/error.hpp"
#include "executor/support/json.hpp"
#include "executor/support/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ctime>
#include <mutex>

namespace berth::kubernetes {
namespace {

using nlohmann::json;
using SystemTime = std::chrono::system_clock::time_point;

std::string word(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// What a plugin is told in KUBERNETES_EXEC_INFO.
std::string exec_info(const ExecPlugin& plugin) {
  json info = {{"apiVersion", plugin.api_version},
               {"kind", "ExecCredential"},
               {"spec", {{"interactive", false}}}};
  if (!plugin.cluster_json.empty())
    info["spec"]["cluster"] = support::parse_json(plugin.cluster_json, "cluster");
  return info.dump();
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  const std::size_t start = text.rfind('\n');
  return support::one_line(start == std::string_view::npos ? text : text.substr(start + 1), 300);
}

class ExecCredentials final : public CredentialSource {
 public:
  ExecCredentials(ExecPlugin plugin, std::shared_ptr<process::ProcessRunner> processes,
                  const support::Clock& clock)
      : m_plugin(std::move(plugin)), m_processes(std::move(processes)), m_clock(clock) {}

  Proof current(std::stop_token stop) override {
    const std::lock_guard lock(m_mutex);
    if (!m_kept || m_forgotten || ends_soon()) {
      m_kept = run(stop);
      m_forgotten = false;
    }
    return m_kept->proof;
  }

  bool renew() override {
    const std::lock_guard lock(m_mutex);
    m_forgotten = true;
    return true;
  }

 private:
  bool ends_soon() const {
    constexpr std::chrono::minutes k_margin{1};
    return m_kept->expires && m_clock.wall() + k_margin >= *m_kept->expires;
  }

  ExecCredential run(const std::stop_token& stop) {
    const std::string what =
        fmt::format("{}: credential program '{}'", m_plugin.where, m_plugin.command);
    process::ProcessSpec spec;
    spec.argv.push_back(m_plugin.command);
    spec.argv.insert(spec.argv.end(), m_plugin.args.begin(), m_plugin.args.end());
    spec.env = m_plugin.env;
    spec.env.emplace_back("KUBERNETES_EXEC_INFO", exec_info(m_plugin));
    spec.timeout = std::chrono::seconds(60);
    process::ProcessResult result;
    try {
      result = m_processes->run(spec, stop);
    } catch (const support::SystemError& error) {
      throw support::OperatorError(fmt::format("{}: {}", what, error.what()), hint());
    }
    if (!result.success())
      throw support::OperatorError(fmt::format("{}: {}", what, end_of(result)), hint());
    return parse_exec_credential(result.output.expose(), m_plugin.api_version, what);
  }

  static std::string end_of(const process::ProcessResult& result) {
    std::string text;
    if (result.ended == process::ProcessResult::Ended::timeout)
      text = "did not end within a minute";
    else if (result.ended == process::ProcessResult::Ended::output_limit)
      text = "wrote more than a credential can be";
    else if (result.signal)
      text = fmt::format("was killed by signal {}", *result.signal);
    else
      text = fmt::format("ended with exit code {}", result.exit_code.value_or(-1));
    const std::string words = last_line(result.errors);
    return words.empty() ? text : text + ": " + words;
  }

  std::string hint() const {
    if (!m_plugin.install_hint.empty()) return support::one_line(m_plugin.install_hint, 500);
    return "it must run without a terminal, as the user and with the environment of the runner";
  }

  const ExecPlugin m_plugin;
  const std::shared_ptr<process::ProcessRunner> m_processes;
  const support::Clock& m_clock;
  std::mutex m_mutex;
  std::optional<ExecCredential> m_kept;
  bool m_forgotten = false;
};

}  // namespace

std::optional<SystemTime> parse_time(const std::string& text) {
  std::tm parts{};
  const char* at = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (at == nullptr) return std::nullopt;
  if (*at == '.') {
    ++at;
    while (*at >= '0' && *at <= '9') ++at;
  }
  long offset = 0;
  if (*at == 'Z' || *at == 'z') {
    ++at;
  } else {
    std::tm zone{};
    const long sign = *at == '-' ? -1 : 1;
    if (*at != '+' && *at != '-') return std::nullopt;
    at = ::strptime(at + 1, "%H:%M", &zone);
    if (at == nullptr) return std::nullopt;
    offset = sign * (zone.tm_hour * 3600L + zone.tm_min * 60L);
  }
  if (*at != '\0') return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts) - offset);
}

ExecCredential parse_exec_credential(std::string_view text, std::string_view api_version,
                                     std::string_view where) {
  const auto wrong = [&](std::string_view why) {
    return support::OperatorError(fmt::format("{}: {}", where, why),
                                  "run it by hand, with KUBERNETES_EXEC_INFO set as Kubernetes' "
                                  "documentation on client-go credential plugins has it");
  };
  const json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) throw wrong("what it printed is not JSON");
  if (word(answer, "kind") != "ExecCredential") throw wrong("it printed no ExecCredential");
  if (word(answer, "apiVersion") != api_version)
    throw wrong(fmt::format("it answered in another apiVersion than {}", api_version));
  const auto status = answer.find("status");
  if (status == answer.end() || !status->is_object()) throw wrong("its answer has no status");
  ExecCredential credential;
  credential.proof = {.token = support::Secret(word(*status, "token")),
                      .certificate_pem = word(*status, "clientCertificateData"),
                      .key_pem = support::Secret(word(*status, "clientKeyData"))};
  const Proof& proof = credential.proof;
  if (proof.certificate_pem.empty() != proof.key_pem.empty())
    throw wrong("it gave a client certificate without its key, or the reverse");
  if (proof.token.empty() && proof.certificate_pem.empty())
    throw wrong("its answer has neither a token nor a client certificate");
  if (const std::string end = word(*status, "expirationTimestamp"); !end.empty()) {
    credential.expires = parse_time(end);
    if (!credential.expires) throw wrong("its expirationTimestamp is not a time");
  }
  return credential;
}

std::unique_ptr<CredentialSource> make_exec_credentials(
    ExecPlugin plugin, std::shared_ptr<process::ProcessRunner> processes,
    const support::Clock& clock) {
  return std::make_unique<ExecCredentials>(std::move(plugin), std::move(processes), clock);
}

}  // namespace berth::kubernetes
