#include "cli/doctor_command.hpp"

#include "cli/doctor/guard.hpp"
#include "cli/doctor/report.hpp"
#include "cli/local/stop_signals.hpp"
#include "executor/app/probe_job.hpp"
#include "executor/app/upkeep.hpp"
#include "executor/settings/settings.hpp"
#include "executor/support/console.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <future>
#include <iterator>
#include <optional>
#include <unistd.h>

namespace berth::cli {
namespace {

using core::Finding;
using core::Health;
using Findings = std::vector<Finding>;

/// Where the runner makes its jobs' directories, so that runners on this host judge
/// the probe like one of theirs.
std::filesystem::path make_probe_directory() {
  std::string path = (std::filesystem::temp_directory_path() / "berth-doctor-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) {
    throw support::OperatorError(fmt::format("cannot make a directory: '{}'", path),
                                 "have $TMPDIR name one that this user may write to");
  }
  return path;
}

Finding failed(std::string check, const support::Error& error) {
  return {.check = std::move(check),
          .health = Health::failed,
          .text = error.what(),
          .remedy = error.hint()};
}

void print(const Findings& findings, const DoctorOptions& options) {
  const bool color = support::color_wanted() && ::isatty(STDOUT_FILENO) == 1;
  fmt::print("{}", options.json ? doctor_json(findings) : doctor_text(findings, color));
}

std::string describe(const settings::Settings& settings, const DoctorOptions& options) {
  return fmt::format("{}, backend {}",
                     options.settings.empty() ? "the usual file, or defaults"
                                              : "'" + options.settings.string() + "'",
                     settings.policy.backend);
}

/// In the guarded process: the guard may be gone when it ends.
int examine(const settings::Settings& settings, const DoctorOptions& options,
            const std::filesystem::path& tmpdir, Findings findings) {
  std::stop_source stop;
  const local::StopSignals signals([&stop](int) { stop.request_stop(); });
  support::StreamConsole console(STDERR_FILENO, false);
  try {
    // A cluster without an answer would be waited for twice; so both at once.
    auto probe = std::async(std::launch::async, [&]() -> Findings {
      if (options.no_probe) return {};
      return app::examine_by_probe(settings,
                                   {.tmpdir = tmpdir,
                                    .hosts = options.hosts,
                                    .runner_version = options.runner_version,
                                    .start_limit = std::chrono::seconds(options.start_limit)},
                                   console, stop.get_token());
    });
    Findings seen = app::make_upkeep(settings, console)->examine(stop.get_token());
    std::move(seen.begin(), seen.end(), std::back_inserter(findings));
    Findings probed = probe.get();
    std::move(probed.begin(), probed.end(), std::back_inserter(findings));
  } catch (const support::Cancelled&) {
    fmt::print(stderr, "berth: stopped; the probe was removed\n");
    return 1;
  } catch (const support::Error& error) {
    findings.push_back(failed("settings", error));
  } catch (const std::exception& error) {
    fmt::print(stderr, "berth: {}\n", error.what());
    return 1;
  }
  print(findings, options);
  return doctor_exit_code(findings);
}

}  // namespace

int run_doctor(const DoctorOptions& options) {
  Findings findings;
  std::optional<settings::Settings> settings;
  try {
    app::probe_script(options.hosts);  // refuses what is no host before anything is made
    settings =
        settings::load(options.settings.empty() ? std::nullopt : std::optional(options.settings));
    findings.push_back({.check = "settings", .text = describe(*settings, options)});
  } catch (const support::Error& error) {
    findings.push_back(failed("settings", error));
    print(findings, options);
    return 1;
  }
  const std::filesystem::path tmpdir = make_probe_directory();
  const auto remove_directory = [&tmpdir] {
    std::error_code ignored;
    std::filesystem::remove_all(tmpdir, ignored);
  };
  return run_guarded(
      [&] {
        const int code = examine(*settings, options, tmpdir, std::move(findings));
        remove_directory();
        return code;
      },
      [&] {
        support::StreamConsole console(STDERR_FILENO, false);
        try {
          app::remove_probe(*settings, tmpdir, console);
          fmt::print(stderr, "berth: the doctor was killed; its probe was removed\n");
        } catch (const support::Error& error) {
          fmt::print(stderr, "berth: the doctor was killed; its probe may be left: {}\n",
                     error.what());
        }
        remove_directory();
      });
}

}  // namespace berth::cli
