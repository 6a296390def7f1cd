#include "executor/dind/daemon.hpp"

#include "executor/core/image_ref.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace berth::dind {
namespace {

constexpr std::string_view k_cert_dir_variable = "DOCKER_TLS_CERTDIR";

/// Whether the words have `flag` in one of its forms: alone or with `=value`.
bool has_flag(const Words& words, std::string_view flag) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return word.starts_with(flag) && (word.size() == flag.size() || word[flag.size()] == '=');
  });
}

/// The value of `--flag=value` or `--flag value`; the last one counts.
std::optional<std::string> flag_value(const Words& words, std::string_view flag) {
  std::optional<std::string> value;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (!word.starts_with(flag)) continue;
    if (word.size() > flag.size() && word[flag.size()] == '=') {
      value = word.substr(flag.size() + 1);
    } else if (word.size() == flag.size() && i + 1 < words.size()) {
      value = words[i + 1];
    }
  }
  return value;
}

/// A switch: nothing where it is not given.
std::optional<bool> switch_value(const Words& words, std::string_view flag) {
  std::optional<bool> value;
  for (const std::string_view word : words) {
    if (word == flag) value = true;
    if (word.starts_with(flag) && word.size() > flag.size() && word[flag.size()] == '=') {
      const std::string_view text = word.substr(flag.size() + 1);
      value = !(text == "false" || text == "0" || text == "f" || text == "FALSE");
    }
  }
  return value;
}

/// -H tcp://..., --host=tcp://..., -H=tcp://..., -Htcp://...: ports in their order.
std::vector<std::uint16_t> listening_ports(const Words& words) {
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "-H" || word == "--host") {
      word = i + 1 < words.size() ? std::string_view(words[i + 1]) : std::string_view();
    } else if (word.starts_with("--host=")) {
      word.remove_prefix(7);
    } else if (word.starts_with("-H")) {
      word.remove_prefix(word.starts_with("-H=") ? 3 : 2);
    } else {
      continue;
    }
    if (const std::uint16_t port = port_of(word); port != 0) ports.push_back(port);
  }
  return ports;
}

/// Whether `dockerd` itself is what is started, so that nobody adds listeners.
bool brings_own_listeners(const Words& words) {
  const auto first = std::find_if(words.begin(), words.end(),
                                  [](const std::string& word) { return names_daemon(word); });
  if (first == words.end()) return false;
  // `dockerd-entrypoint.sh dockerd ...` comes to the same.
  return std::any_of(first, words.end(), [](std::string_view word) {
    return word.substr(word.find_last_of('/') + 1) == "dockerd";
  });
}

/// An image of before 18.09 knows no TLS by itself. `tag` as in "18.06-dind".
bool is_before_tls(std::string_view image) {
  try {
    const std::string tag = core::parse_image_ref(image).tag;
    int major = 0;
    const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), major);
    if (error != std::errc() || major < 1) return false;
    int minor = 99;
    if (end != tag.data() + tag.size() && *end == '.') {
      std::from_chars(end + 1, tag.data() + tag.size(), minor);
    }
    return (major < 18 && (major == 1 || major == 17)) || (major == 18 && minor < 9);
  } catch (const support::Error&) {
    return false;
  }
}

std::string cert_dir_of(const ServiceFacts& service) {
  if (const auto given = value_in(service.environment, k_cert_dir_variable)) return *given;
  if (service.config) {
    return value_in(service.config->environment, k_cert_dir_variable).value_or("");
  }
  return is_before_tls(service.image) ? std::string() : std::string(k_default_cert_dir);
}

/// Arguments at the end of the service's words; nothing where the words are a
/// shell's, so that they cannot be added to.
std::optional<Words> with_arguments(const ServiceFacts& service, const Words& added) {
  for (const Words* words : {&service.entrypoint, &service.command}) {
    for (const std::string& word : *words) {
      if (word.find_first_of(" \t\n") != std::string::npos) return std::nullopt;
    }
  }
  Words command = service.command;
  if (command.empty() && service.config) command = service.config->command;
  command.insert(command.end(), added.begin(), added.end());
  return command;
}

struct KnownCause {
  std::string_view words;
  std::string_view cause;
};

/// In the order they are looked for; words in lower case.
constexpr std::array k_known_causes = {
    KnownCause{"no space left on device", "the engine's disk, or its inodes, are used up"},
    KnownCause{"address already in use", "another service has its port"},
    KnownCause{"directives are specified both as a flag and in the configuration file",
               "its daemon.json sets what its arguments set too"},
    KnownCause{"unknown flag", "its version does not know one of its arguments"},
    KnownCause{"permission denied (you must be root)",
               "it was not given the privileges it needs: `services_privileged`"},
    KnownCause{"operation not permitted",
               "it was not given the privileges it needs: `services_privileged`"},
    KnownCause{"must be root", "it does not run as root"},
    KnownCause{"needs root", "it does not run as root"},
    KnownCause{"iptables",
               "the machine's kernel lacks the iptables modules it needs; "
               "DOCKER_IPTABLES_LEGACY=1 asks for the older ones"},
    KnownCause{"error initializing graphdriver",
               "its storage driver does not work on this machine; DOCKER_DRIVER=vfs always does"},
    KnownCause{"devices cgroup isn't mounted", "no cgroups are mounted for it"},
    KnownCause{"failed to start containerd",
               "its containerd did not start: it may have too little "
               "memory"},
    KnownCause{"failed to load tls",
               "its certificates do not fit: check DOCKER_TLS_CERTDIR, and "
               "volumes that the settings mount there"},
    KnownCause{"unable to load certificate",
               "its certificates do not fit: check DOCKER_TLS_CERTDIR, "
               "and volumes that the settings mount there"},
};

}  // namespace

std::uint16_t port_of(std::string_view docker_host) {
  constexpr std::string_view k_scheme = "tcp://";
  if (!docker_host.starts_with(k_scheme)) return 0;
  docker_host.remove_prefix(k_scheme.size());
  docker_host = docker_host.substr(0, docker_host.find('/'));
  const std::size_t colon = docker_host.rfind(':');
  if (colon == std::string_view::npos) return 0;
  std::uint16_t port = 0;
  const char* end = docker_host.data() + docker_host.size();
  const auto [stop, error] = std::from_chars(docker_host.data() + colon + 1, end, port);
  return error == std::errc() && stop == end ? port : std::uint16_t{0};
}

Daemon plan_daemon(const ServiceFacts& service, std::string_view docker_host,
                   const NetworkNeeds& network) {
  Daemon daemon;
  const Words words = own_words(service);
  const std::string cert_dir = cert_dir_of(service);
  const auto tls = switch_value(words, "--tls");
  const auto verify = switch_value(words, "--tlsverify");
  Words added;
  if (brings_own_listeners(words)) {
    const auto ports = listening_ports(words);
    daemon.port = ports.empty() ? std::uint16_t{0} : ports.front();
    const bool secure = tls.value_or(false) || verify.value_or(false);
    const std::string authority = flag_value(words, "--tlscacert").value_or("");
    if (!secure) {
      daemon.mode = daemon.port == 0 ? Mode::own : Mode::plain;
    } else if (!cert_dir.empty() && authority.starts_with(cert_dir + "/server/")) {
      daemon.mode = Mode::tls;
      daemon.cert_dir = cert_dir;
    }
  } else if (cert_dir.empty() || cert_dir.front() != '/' || !tls.value_or(true) ||
             port_of(docker_host) == k_plain_port) {
    daemon.mode = Mode::plain;
    daemon.port = k_plain_port;
    daemon.environment.emplace_back(k_cert_dir_variable, "");
  } else {
    daemon.mode = Mode::tls;
    daemon.port = k_tls_port;
    daemon.cert_dir = cert_dir;
    while (daemon.cert_dir.size() > 1 && daemon.cert_dir.ends_with('/')) daemon.cert_dir.pop_back();
    daemon.environment.emplace_back(k_cert_dir_variable, daemon.cert_dir);
  }
  // Its client's variable is the default of its own flag.
  const auto verified = value_in(service.environment, "DOCKER_TLS_VERIFY");
  if (daemon.mode == Mode::plain && verified && !verified->empty()) {
    daemon.environment.emplace_back("DOCKER_TLS_VERIFY", "");
  }
  // Without this word a daemon with a plain TCP port waits for 16 s, to make a
  // person think (moby, daemon/command/daemon.go).
  if (daemon.mode == Mode::plain && !tls && !verify) added.emplace_back("--tls=false");
  if (network.mtu > 0 && !has_flag(words, "--mtu")) {
    added.push_back(fmt::format("--mtu={}", network.mtu));
  }
  if (!has_flag(words, "--dns")) {
    for (const std::string& server : network.dns) added.push_back("--dns=" + server);
  }
  if (!added.empty()) {
    if (auto command = with_arguments(service, added)) daemon.command = std::move(*command);
  }
  return daemon;
}

std::vector<std::pair<std::string, std::string>> client_environment(const Daemon& daemon,
                                                                    std::string_view host,
                                                                    const core::Variables& job) {
  std::vector<std::pair<std::string, std::string>> environment;
  if (daemon.mode == Mode::own || daemon.port == 0) return environment;
  const auto set = [&](std::string_view key, std::string value) {
    if (job.find(key) == nullptr) environment.emplace_back(key, std::move(value));
  };
  set("DOCKER_HOST", fmt::format("tcp://{}:{}", host, daemon.port));
  const std::string docker_host = job.get("DOCKER_HOST");
  const bool is_meant = docker_host.empty() || port_of(docker_host) == daemon.port;
  if (daemon.mode == Mode::tls && is_meant) {
    set("DOCKER_TLS_VERIFY", "1");
    set("DOCKER_CERT_PATH", daemon.cert_dir + "/client");
  }
  return environment;
}

std::string mismatch(const Daemon& daemon, std::string_view image, std::string_view docker_host) {
  const std::uint16_t asked = port_of(docker_host);
  const bool known = asked == k_plain_port || asked == k_tls_port;
  if (!known || daemon.port == 0 || asked == daemon.port) return {};
  return fmt::format(
      "DOCKER_HOST is '{}', but service '{}' listens on port {}{}", docker_host, image, daemon.port,
      daemon.mode == Mode::plain ? ", without TLS: DOCKER_TLS_CERTDIR or its command says so" : "");
}

std::string name_of_daemon(const std::vector<core::ServiceSpec>& services, std::size_t index) {
  // A spare daemon gives way to one that the job has brought.
  const auto answers = [&](const core::ServiceSpec& service) {
    if (service.spare_daemon && &service != &services.at(index)) return false;
    return std::find(service.aliases.begin(), service.aliases.end(), k_docker_name) !=
           service.aliases.end();
  };
  const auto owner = std::find_if(services.begin(), services.end(), answers);
  const core::ServiceSpec& own = services.at(index);
  if (owner == services.end() || &*owner == &own || own.aliases.empty()) {
    return std::string(k_docker_name);
  }
  return own.aliases.back();
}

std::vector<std::string> certificate_names(const std::vector<core::ServiceSpec>& services) {
  std::vector<std::string> names = {std::string(k_docker_name), "localhost", "127.0.0.1", "::1"};
  for (const core::ServiceSpec& service : services) {
    for (const std::string& alias : service.aliases) {
      if (std::find(names.begin(), names.end(), alias) == names.end()) names.push_back(alias);
    }
  }
  return names;
}

std::string data_root(const ServiceFacts& service) {
  const Words words = own_words(service);
  for (const std::string_view flag : {"--data-root", "--graph", "-g"}) {
    if (const auto path = flag_value(words, flag); path && path->starts_with('/')) return *path;
  }
  return "/var/lib/docker";
}

std::string cause_of_end(std::string_view log) {
  std::string lower(log);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : char(c);
  });
  for (const KnownCause& known : k_known_causes) {
    if (lower.find(known.words) != std::string::npos) {
      return "likely cause: " + std::string(known.cause);
    }
  }
  return {};
}

std::string with_cause(std::string words) {
  const std::string cause = cause_of_end(words);
  return cause.empty() ? words : words + "\n" + cause;
}

std::string ended_words(std::string_view image, const std::string& how) {
  return fmt::format("the Docker daemon of service '{}' {}", image, with_cause(how));
}

}  // namespace berth::dind
