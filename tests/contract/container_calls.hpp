#pragma once

#include "tests/contract/fake_containers.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

namespace berth::tests {

struct EngineCall;
struct EngineReply;
class FakeImages;
class FakeObjects;

/// A fake engine's calls about containers: /containers, and /exec but for its
/// start, which is no call and answer. Thread-safe.
class ContainerCalls {
 public:
  /// local: bind mounts are of this machine; else they are refused.
  ContainerCalls(FakeContainers& containers, FakeImages& images, FakeObjects& volumes, bool local)
      : m_containers(containers), m_images(images), m_volumes(volumes), m_local(local) {}

  EngineReply answer(const EngineCall& call);
  EngineReply answer_exec(const EngineCall& call) const;
  /// Where an exec that was created runs, or "".
  std::string container_of_exec(const std::string& exec);
  /// Ends the calls that wait.
  void stop();

 private:
  EngineReply create(const EngineCall& call);
  EngineReply start(const FakeContainers::State& state);
  EngineReply wait(const std::string& id);
  EngineReply list(const EngineCall& call);
  EngineReply archive(const std::string& method);
  EngineReply create_exec(const std::string& container);

  FakeContainers& m_containers;
  FakeImages& m_images;
  FakeObjects& m_volumes;
  const bool m_local;
  std::mutex m_mutex;
  std::condition_variable m_wake;
  bool m_stopping = false;
  bool m_archive_put = false;
  std::map<std::string, std::string> m_execs;
};

}  // namespace berth::tests
