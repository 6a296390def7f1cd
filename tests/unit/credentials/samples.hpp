#pragma once

#include "executor/credentials/credential.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

/// Credentials made up on the spot: keys of this process's own, names of
/// example.com. Nothing of them is worth anything to anybody.
namespace berth::credentials::test {

/// The day on which the samples are good.
inline constexpr std::chrono::sys_seconds k_today{
    std::chrono::sys_days{std::chrono::year(2026) / std::chrono::June / 15}};

struct Sample {
  std::string name{};
  Type type = Type::jwt;
  /// The file as somebody saved it, with its newline.
  std::string text{};
  /// What no message may have a piece of.
  std::vector<std::string> secrets{};
  /// Cut in the middle it can be told from a whole one.
  bool cut_shows = true;
};

/// One of each type, and of both formats where there are two. Made once.
const std::vector<Sample>& samples();
const Sample& sample(std::string_view name);

/// PEM of a new EC key; of a certificate for it, signed by itself, that ends
/// `days` after k_today.
struct Identity {
  std::string key{};
  std::string certificate{};
};
Identity make_identity(const std::string& common_name, int days = 365);

/// A kubeconfig with one context. Empty PEM: left out.
std::string kubeconfig_text(const Identity& user, const std::string& ca, const std::string& token);

std::string wrapped(std::string_view text, std::size_t columns, std::string_view line_end = "\n");
std::string gzipped(std::string_view bytes);
std::string hex(std::string_view bytes);

}  // namespace berth::credentials::test
