#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace berth::tests {

struct EngineCall;
struct EngineReply;

/// What an image of a fake engine is: how its containers begin and end.
struct FakeImage {
  std::vector<std::string> entrypoint{};
  std::vector<std::string> env{};
  std::vector<std::string> exposed_ports{};
  std::string user{};
  /// What a pull answers; empty: the pull succeeds.
  std::string pull_error{};
  /// Present without a pull.
  bool present = true;
  /// A container of this image ends at once with this code and log.
  std::optional<int> exits_at_once{};
  std::string log{};
};

/// The images of a fake engine, and those that its registries have. Thread-safe.
class FakeImages {
 public:
  explicit FakeImages(std::map<std::string, FakeImage> images) : m_images(std::move(images)) {}

  /// The calls under /images.
  EngineReply answer(const EngineCall& call);
  /// One that is present, by name or id.
  std::optional<FakeImage> find(const std::string& name);

 private:
  FakeImage* lookup(std::string name);
  EngineReply pull(const EngineCall& call);
  EngineReply inspect(const std::string& name);

  std::mutex m_mutex;
  std::map<std::string, FakeImage> m_images;
};

}  // namespace berth::tests
