#include "executor/core/image_ref.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::core {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_alphanumeric(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Lower case letters and digits, joined by one `.`, one or two `_`, or dashes.
bool is_path_component(std::string_view text) {
  std::size_t i = 0;
  const auto word = [&] {
    const std::size_t start = i;
    while (i < text.size() && (is_lower(text[i]) || is_digit(text[i]))) ++i;
    return i > start;
  };
  if (!word()) return false;
  while (i < text.size()) {
    const char separator = text[i];
    const std::size_t start = i;
    while (i < text.size() && text[i] == separator) ++i;
    const std::size_t length = i - start;
    const bool joined =
        (separator == '.' && length == 1) || (separator == '_' && length <= 2) || separator == '-';
    if (!joined || !word()) return false;
  }
  return true;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.ends_with(']') && host.size() > 2 &&
           std::all_of(host.begin() + 1, host.end() - 1,
                       [](char c) { return is_hex(c) || c == ':'; });
  }
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view part = host.substr(0, dot);
    if (part.empty() || part.starts_with('-') || part.ends_with('-')) return false;
    if (!std::all_of(part.begin(), part.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-'; })) {
      return false;
    }
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

/// Splits `host:port`; the port may be missing.
bool is_domain(std::string_view domain) {
  const std::size_t colon = domain.rfind(':');
  if (colon != std::string_view::npos && !domain.ends_with(']')) {
    const std::string_view port = domain.substr(colon + 1);
    if (port.empty() || !std::all_of(port.begin(), port.end(), is_digit)) return false;
    domain = domain.substr(0, colon);
  }
  return is_host(domain);
}

bool is_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > 128 || tag[0] == '.' || tag[0] == '-') return false;
  return std::all_of(tag.begin(), tag.end(),
                     [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_digest(std::string_view digest) {
  const std::size_t colon = digest.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view algorithm = digest.substr(0, colon);
  const std::string_view value = digest.substr(colon + 1);
  bool start = true;
  for (const char c : algorithm) {
    if (start
            ? !(is_lower(c) || is_upper(c))
            : !(is_alphanumeric(c) || std::string_view("-_+.").find(c) != std::string_view::npos)) {
      return false;
    }
    start = !is_alphanumeric(c);
  }
  return !start && value.size() >= 32 && std::all_of(value.begin(), value.end(), is_hex);
}

/// Whether the part before the first `/` names a registry and not a directory
/// of Docker Hub (distribution's splitDockerDomain).
bool names_registry(std::string_view first) {
  return first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
         std::any_of(first.begin(), first.end(), is_upper);
}

struct Parts {
  std::string_view path;
  std::string_view tag;
  std::string_view digest;
};

Parts split(std::string_view text) {
  Parts parts;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    parts.digest = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const std::size_t slash = text.rfind('/');
  const std::size_t from = slash == std::string_view::npos ? 0 : slash + 1;
  if (const std::size_t colon = text.find(':', from); colon != std::string_view::npos) {
    parts.tag = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  parts.path = text;
  return parts;
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw support::JobError(fmt::format("not an image name: '{}': {}", text, why),
                          "write [registry/]path[:tag][@digest], the path in lower case");
}

}  // namespace

ImageRef parse_image_ref(std::string_view text) {
  if (text.empty()) refuse(text, "it is empty");
  const Parts parts = split(text);
  const bool has_digest = text.find('@') != std::string_view::npos;
  const bool has_tag = parts.tag.data() != nullptr;
  if (has_digest && !is_digest(parts.digest)) refuse(text, "the digest is malformed");
  if (has_tag && !is_tag(parts.tag)) refuse(text, "the tag is malformed");

  ImageRef image;
  image.written_path = parts.path;
  std::string_view path = parts.path;
  const std::size_t slash = path.find('/');
  if (slash != std::string_view::npos && names_registry(path.substr(0, slash))) {
    image.registry = path.substr(0, slash);
    path.remove_prefix(slash + 1);
    if (!is_domain(image.registry)) refuse(text, "the registry's name is malformed");
  }
  if (image.registry.empty() || image.registry == "index.docker.io") image.registry = "docker.io";
  image.repository = path;
  if (image.registry == "docker.io" && path.find('/') == std::string_view::npos) {
    image.repository.insert(0, "library/");
  }
  if (image.repository.size() > 255) refuse(text, "it is longer than 255 characters");
  for (std::string_view rest = path;;) {
    const std::size_t end = rest.find('/');
    if (!is_path_component(rest.substr(0, end))) {
      refuse(text, std::any_of(rest.begin(), rest.end(), is_upper)
                       ? "upper case letters are not allowed in the path"
                       : "the path is malformed");
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  image.tag = parts.tag;
  image.digest = parts.digest;
  if (image.tag.empty() && image.digest.empty()) image.tag = "latest";
  return image;
}

std::vector<std::string> service_names(std::string_view image) {
  std::string name = parse_image_ref(image).written_path;
  // registry:5000/path -> registry/path
  if (const std::size_t colon = name.find(':'); colon != std::string::npos) {
    name.erase(colon, std::min(name.find('/', colon), name.size()) - colon);
  }
  std::string dashed = name;
  std::replace(dashed.begin(), dashed.end(), '/', '-');
  std::string underscored;
  for (const char c : name) underscored += c == '/' ? "__" : std::string(1, c);
  if (underscored == dashed) return {underscored};
  return {underscored, dashed};
}

std::vector<std::string> split_aliases(std::string_view alias) {
  constexpr std::string_view k_separators = ", \t\r\n\v\f";
  std::vector<std::string> aliases;
  while (true) {
    const std::size_t start = alias.find_first_not_of(k_separators);
    if (start == std::string_view::npos) return aliases;
    alias.remove_prefix(start);
    const std::size_t length = std::min(alias.find_first_of(k_separators), alias.size());
    aliases.emplace_back(alias.substr(0, length));
    alias.remove_prefix(length);
  }
}

}  // namespace berth::core
