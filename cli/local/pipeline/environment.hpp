#pragma once

#include <string>
#include <string_view>

namespace berth::local::pipeline {

/// CI_JOB_NAME_SLUG: lower case, 63 characters at most, dashes for all but letters
/// and digits (Gitlab::Utils.slugify).
std::string slug_of(std::string_view text);
/// CI_ENVIRONMENT_SLUG: 24 characters at most, with a suffix where the name is no
/// slug itself (Gitlab::Slug::Environment).
std::string environment_slug(std::string_view name);
/// The tier an environment has by its name (Environment#guess_tier).
std::string guess_tier(std::string_view name);
/// CI_JOB_GROUP_NAME: the name without "1/3", "[a, b]" and the like behind it.
std::string group_name(std::string_view job);

}  // namespace berth::local::pipeline
