#pragma once

#include "executor/core/backend.hpp"
#include "executor/credentials/registry_logins.hpp"
#include "executor/docker/engine/engine.hpp"
#include "executor/support/retry.hpp"

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth::docker {

/// An image a job needs, and how it may be had.
struct ImageRequest {
  std::string image{};
  std::string platform{};
  /// always | if-not-present | never, in the order to try; never empty.
  std::vector<std::string> policies{};
  /// The settings name it, not the job: its failures are the operator's.
  bool from_settings = false;
  bool operator==(const ImageRequest&) const = default;
};

/// Reads the logins; called at most once, and only when something is pulled
/// (credential helpers are programs).
using LoadLogins = std::function<credentials::RegistryLogins()>;

struct ImagePullOptions {
  /// How long failures of the network are tried again, per image.
  std::chrono::milliseconds budget{std::chrono::minutes{3}};
  /// The same where a registry's name is unknown, which waiting seldom mends.
  std::chrono::milliseconds unknown_host_budget{std::chrono::seconds{10}};
  /// Waits between tries.
  support::Backoff backoff{std::chrono::milliseconds{1000}, std::chrono::milliseconds{10000}};
  /// A pull tells how far it is this often.
  std::chrono::milliseconds progress_interval{std::chrono::seconds{10}};
};

/// What ensure_images found: containers are made from info.id, so that all stages
/// of a job see one image whatever is pulled meanwhile.
struct ReadyImage {
  ImageRequest request{};
  ImageInfo info{};
};

/// Makes every image present on the engine, equal requests once, pulls at the
/// same time. Results stand in the order of the requests.
/// Policies as the built-in executor's: each in turn until one succeeds; `never`
/// takes what is there, `if-not-present` pulls what is not (or is of another
/// platform), `always` asks the registry each time. An image given by its whole
/// id is never pulled.
/// Throws JobError (does not exist, access denied), OperatorError (the same of an
/// image the settings name; a registry the engine does not trust) or SystemError
/// (registry not reachable within the budget), with the registry's own words;
/// the first failure stops the other pulls.
std::vector<ReadyImage> ensure_images(Engine& engine, const std::vector<ImageRequest>& requests,
                                      const LoadLogins& load_logins, core::Console& console,
                                      const ImagePullOptions& options, std::stop_token stop);

}  // namespace berth::docker
