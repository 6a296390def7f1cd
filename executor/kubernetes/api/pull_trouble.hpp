#pragma once

#include <string>
#include <string_view>

/// What a kubelet says of an image that it cannot get. Pure.
namespace berth::kubernetes {

/// Why a container's image could not be had, as far as a second try matters.
enum class PullTrouble {
  final_,     ///< no such image, no right to it, no name of one: trying again is useless
  temporary,  ///< network, registry down or busy
};
/// From the kubelet's reason and the registry's words.
PullTrouble judge_pull(std::string_view reason, std::string_view message);

/// Whether a container waits because its image cannot be had.
bool is_pull_trouble(std::string_view reason);

/// The registry's part of the kubelet's words, in one line: containerd wraps it several
/// times, and repeats the image's name each time. "" where they say nothing new.
std::string registry_words(const std::string& message);

/// They speak of a login that is missing, wrong, or not enough.
bool is_about_login(std::string_view words);

}  // namespace berth::kubernetes
