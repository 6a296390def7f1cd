#pragma once

#include <string>

/// What an environment is called where names are not free. Pure.
namespace berth::environments {

/// A directory: its name where that is a plain word, else percent-encoded; a long one cut,
/// with a hash.
std::string directory_name(const std::string& environment);

/// An object of a cluster: "berth-env-review-x-0123456789abcdef": what can be kept of the
/// name, and a hash of it. No longer than 53 characters.
std::string object_name(const std::string& environment);

}  // namespace berth::environments
