#include "executor/docker/docker_upkeep.hpp"

#include "executor/docker/connect.hpp"
#include "executor/docker/examination.hpp"
#include "executor/docker/garbage.hpp"
#include "executor/support/clock.hpp"

#include <iterator>

namespace berth::docker {
namespace {

class DockerUpkeep final : public core::Upkeep {
 public:
  DockerUpkeep(BackendOptions options, std::string helper_image)
      : m_options(std::move(options)),
        m_helper_image(std::move(helper_image)),
        m_engine(engine_address(m_options), engine_options(m_options)) {}

  std::vector<core::Garbage> collect_garbage(const core::GarbageRequest& request,
                                             std::stop_token stop) override {
    const HostState state(m_options.state_dir);
    const std::int64_t now = support::unix_seconds();
    auto all = collect_attempts(m_engine, state, m_helper_image, request.dry_run, now, stop);
    if (request.volumes_unused_for) {
      auto volumes = collect_volumes(m_engine, state, request.volumes_unused_for->count(),
                                     request.dry_run, now, stop);
      std::move(volumes.begin(), volumes.end(), std::back_inserter(all));
    }
    return all;
  }

  std::vector<core::Finding> examine(std::stop_token stop) override {
    return examine_engine(m_engine, m_options, stop);
  }

 private:
  BackendOptions m_options;
  std::string m_helper_image;
  Engine m_engine;
};

}  // namespace

std::unique_ptr<core::Upkeep> make_upkeep(BackendOptions options, std::string helper_image) {
  return std::make_unique<DockerUpkeep>(std::move(options), std::move(helper_image));
}

}  // namespace berth::docker
