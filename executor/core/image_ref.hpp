#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::core {

/// A container image's name taken apart (distribution's reference grammar:
/// [domain/]path[:tag][@digest]; docker.io and library/ filled in).
struct ImageRef {
  /// "docker.io" where the name has no registry.
  std::string registry;
  /// "library/postgres"
  std::string repository;
  /// "latest" where neither a tag nor a digest was given.
  std::string tag;
  std::string digest;

  /// The path as written by the user, without tag and digest: for aliases.
  std::string written_path;
  bool operator==(const ImageRef&) const = default;
};

/// Throws support::JobError on what is not an image name.
ImageRef parse_image_ref(std::string_view text);

/// Service names as both built-in executors derive them from an image's path:
/// `/` becomes `__`, and `/` becomes `-`; registry port and tag dropped
/// (gitlab-runner, helpers/container/services, SplitNameAndVersion).
std::vector<std::string> service_names(std::string_view image);

/// Aliases as declared: separated by commas or blanks (spec.go, Image.Aliases).
std::vector<std::string> split_aliases(std::string_view alias);

/// doublestar matching as allowed_images uses it: `*` stops at `/`, `**` as a
/// whole path component does not, `?`, `[...]`, `{a,b}`. A malformed pattern
/// matches nothing.
bool glob_match(std::string_view pattern, std::string_view text);

/// Whether glob_match can do anything with it.
bool glob_valid(std::string_view pattern);

}  // namespace berth::core
