#include "executor/docker/engine/image_pull.hpp"

#include "executor/docker/engine/pull_report.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>

namespace berth::docker {
namespace {

using Clock = std::chrono::steady_clock;

/// "sha256:<64 digits>" or the digits alone: nothing a registry could be asked for.
bool is_image_id(std::string_view image) {
  constexpr std::string_view k_prefix = "sha256:";
  if (image.starts_with(k_prefix)) image.remove_prefix(k_prefix.size());
  return image.size() == 64 &&
         image.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Does an image fit "os/arch[/variant]"? Variants are the engine's business.
bool fits(const ImageInfo& image, const std::string& platform) {
  if (platform.empty()) return true;
  const std::size_t slash = platform.find('/');
  const std::string os = slash == std::string::npos ? "linux" : platform.substr(0, slash);
  std::string arch = slash == std::string::npos ? platform : platform.substr(slash + 1);
  arch.resize(std::min(arch.size(), arch.find('/')));
  if (arch == "aarch64") arch = "arm64";
  if (arch == "x86_64" || arch == "x86-64") arch = "amd64";
  return image.os == os && image.arch == arch;
}

/// The logins, read by the first pull that needs them.
class SharedLogins {
 public:
  explicit SharedLogins(const LoadLogins& load) : m_load(load) {}

  const credentials::RegistryLogins& get() {
    std::call_once(m_once,
                   [this] { m_logins = m_load ? m_load() : credentials::RegistryLogins(); });
    return m_logins;
  }

 private:
  const LoadLogins& m_load;
  std::once_flag m_once;
  credentials::RegistryLogins m_logins;
};

/// Makes one image present.
class ImageTask {
 public:
  ImageTask(Engine& engine, const ImageRequest& request, SharedLogins& logins,
            core::Console& console, const ImagePullOptions& options, std::stop_token stop)
      : m_engine(engine),
        m_request(request),
        m_logins(logins),
        m_console(console),
        m_options(options),
        m_stop(std::move(stop)) {}

  ImageInfo run() {
    for (std::size_t i = 0;; ++i) {
      const std::string& policy = m_request.policies.at(i);
      if (i > 0) {
        m_console.line(fmt::format("Attempt #{}: Trying \"{}\" pull policy for '{}'", i + 1, policy,
                                   m_request.image));
      }
      try {
        ImageInfo image = by_policy(policy);
        tell_used(image);
        return image;
      } catch (const support::Error& error) {
        if (i + 1 == m_request.policies.size()) throw;
        m_console.warning(
            fmt::format("Failed to pull image with policy \"{}\": {}", policy, error.what()));
      }
    }
  }

 private:
  ImageInfo by_policy(const std::string& policy) {
    if (policy == "never" || is_image_id(m_request.image)) return present_or_fail(policy);
    if (policy == "if-not-present") {
      auto image = m_engine.find_image(m_request.image, m_stop);
      if (image && fits(*image, m_request.platform)) return *std::move(image);
    } else if (policy != "always") {
      throw support::OperatorError("pull policy: '" + policy +
                                   "': not always, if-not-present or never");
    }
    pull();
    auto image = m_engine.find_image(m_request.image, m_stop);
    if (!image)
      throw support::SystemError(failure("was pulled, but is not there"),
                                 "was it removed at the same moment (docker image prune)?");
    check_platform(*image, "in the registry");
    return *std::move(image);
  }

  ImageInfo present_or_fail(const std::string& policy) {
    auto image = m_engine.find_image(m_request.image, m_stop);
    if (!image) fail(failure("not present, and pull policy '" + policy + "' does not pull it"), "");
    check_platform(*image, "present");
    return *std::move(image);
  }

  /// A registry that has one platform only hands that out whatever was asked for.
  void check_platform(const ImageInfo& image, const char* where) {
    if (fits(image, m_request.platform)) return;
    fail(failure(fmt::format("{} for {}/{}, not for {}", where, image.os, image.arch,
                             m_request.platform)),
         "");
  }

  void pull() {
    const credentials::RegistryLogin* login = m_logins.get().find(m_request.image);
    PullRequest request{.image = m_request.image, .platform = m_request.platform};
    if (login != nullptr) {
      m_console.line(fmt::format("Authenticating with credentials from {}", login->source));
      request.registry_auth = credentials::registry_auth(*login);
    }
    m_console.line(fmt::format("Pulling docker image {} ...", m_request.image));
    const Clock::time_point begin = Clock::now();
    for (unsigned tries = 1;; ++tries) {
      try {
        pull_once(request);
        return;
      } catch (const PullError& error) {
        const auto pause = support::delay(m_options.backoff, tries, support::random_unit());
        if (Clock::now() + pause > begin + patience_with(error.kind())) give_up(error, login);
        m_console.warning(fmt::format("Pulling '{}' failed and is tried again: {}", m_request.image,
                                      error.engine_text()));
        if (!support::sleep_for(pause, m_stop)) throw support::Cancelled();
      }
    }
  }

  /// How long after the first try such a failure is worth another one; negative:
  /// it is final.
  std::chrono::milliseconds patience_with(PullFailure kind) const {
    if (kind == PullFailure::network) return m_options.budget;
    if (kind == PullFailure::no_host)
      return std::min(m_options.budget, m_options.unknown_host_budget);
    return std::chrono::milliseconds(-1);
  }

  void pull_once(const PullRequest& request) {
    PullSummary summary;
    Clock::time_point told = Clock::now();
    m_engine.pull_image(
        request,
        [&](const PullProgress& progress) {
          summary.add(progress);
          if (Clock::now() - told < m_options.progress_interval) return;
          told = Clock::now();
          m_console.line(fmt::format("Pulling {}: {}", m_request.image, summary.text()));
        },
        m_stop);
  }

  [[noreturn]] void give_up(const PullError& error, const credentials::RegistryLogin* login) {
    const std::string message = failure(error.engine_text());
    if (error.fault() != support::Fault::job)
      throw support::Error(error.fault(), message, error.hint());
    std::string hint = error.hint();
    if (error.kind() == PullFailure::denied) {
      hint = login != nullptr
                 ? "the credentials from " + login->source + " for '" + login->registry +
                       "' do not allow this, or the image does not exist"
                 : "no credentials are known for this registry (DOCKER_AUTH_CONFIG), or "
                   "the image does not exist";
    }
    fail(message, hint);
  }

  /// The fault of whoever named the image.
  [[noreturn]] void fail(const std::string& message, const std::string& hint) {
    if (m_request.from_settings) throw support::OperatorError(message, hint);
    throw support::JobError(message, hint);
  }

  std::string failure(const std::string& why) const {
    return "image: '" + m_request.image + "': " + why;
  }

  void tell_used(const ImageInfo& image) {
    if (m_request.image == image.id) return;
    const std::string digest =
        image.repo_digests.empty() ? "" : " with digest " + image.repo_digests.front();
    m_console.line(
        fmt::format("Using docker image {} for {}{} ...", image.id, m_request.image, digest));
  }

  Engine& m_engine;
  const ImageRequest& m_request;
  SharedLogins& m_logins;
  core::Console& m_console;
  const ImagePullOptions& m_options;
  std::stop_token m_stop;
};

/// The first failure, and a stop for everything else that runs.
class Failure {
 public:
  explicit Failure(const std::stop_token& outer) : m_forward(outer, Forward{this}) {}

  std::stop_token token() const { return m_stop.get_token(); }

  void set(std::exception_ptr error) {
    const std::lock_guard lock(m_mutex);
    if (!m_error) m_error = std::move(error);
    m_stop.request_stop();
  }
  void rethrow() {
    const std::lock_guard lock(m_mutex);
    if (m_error) std::rethrow_exception(m_error);
  }

 private:
  struct Forward {
    Failure* self;
    void operator()() const { self->m_stop.request_stop(); }
  };

  std::mutex m_mutex;
  std::exception_ptr m_error;
  std::stop_source m_stop;
  std::stop_callback<Forward> m_forward;
};

}  // namespace

std::vector<ReadyImage> ensure_images(Engine& engine, const std::vector<ImageRequest>& requests,
                                      const LoadLogins& load_logins, core::Console& console,
                                      const ImagePullOptions& options, std::stop_token stop) {
  std::vector<ReadyImage> distinct;
  for (const ImageRequest& request : requests) {
    if (std::ranges::find(distinct, request, &ReadyImage::request) == distinct.end())
      distinct.push_back({.request = request});
  }
  SharedLogins logins(load_logins);
  Failure failure(stop);
  const auto work = [&](ReadyImage& ready) {
    try {
      ready.info =
          ImageTask(engine, ready.request, logins, console, options, failure.token()).run();
    } catch (...) {
      failure.set(std::current_exception());
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < distinct.size(); ++i)
      threads.emplace_back([&work, &ready = distinct[i]] { work(ready); });
    if (!distinct.empty()) work(distinct.front());
  }
  failure.rethrow();
  std::vector<ReadyImage> all;
  all.reserve(requests.size());
  for (const ImageRequest& request : requests)
    all.push_back(*std::ranges::find(distinct, request, &ReadyImage::request));
  return all;
}

}  // namespace berth::docker
