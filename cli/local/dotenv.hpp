#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::local {

/// The content of an `artifacts:reports:dotenv` file: lines KEY=value; blank
/// lines and lines that begin with `#` are left out, one pair of quotes around a
/// value is taken off (gitlab, Ci::ParseDotenvArtifactService). Throws
/// std::runtime_error with the line for one that is neither.
std::vector<std::pair<std::string, std::string>> parse_dotenv(std::string_view text);

}  // namespace berth::local
