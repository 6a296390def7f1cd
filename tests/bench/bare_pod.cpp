#include "tests/bench/bare_pod.hpp"

#include "executor/kubernetes/api/watch.hpp"
#include "executor/kubernetes/pod_state.hpp"
#include "executor/support/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace berth::bench {
namespace {

using Clock = std::chrono::steady_clock;
using kubernetes::WatchEvent;

constexpr std::chrono::seconds k_patience{60};

bool all_run(const nlohmann::json& pod) {
  const kubernetes::PodState state = kubernetes::parse_pod_state(pod);
  return !state.containers.empty() &&
         std::all_of(state.containers.begin(), state.containers.end(),
                     [](const kubernetes::ContainerState& one) { return one.running(); });
}

}  // namespace

PodFollower::PodFollower(kubernetes::Client& client, std::string name_space)
    : m_client(client),
      m_name_space(std::move(name_space)),
      m_thread([this](const std::stop_token& stop) { follow(stop); }) {}

PodFollower::~PodFollower() = default;

void PodFollower::follow(const std::stop_token& stop) {
  const auto note = [this](const WatchEvent& event) {
    const std::lock_guard guard(m_mutex);
    const std::string name = event.object.at("metadata").at("name");
    Life& life = m_lives[name];
    if (life.name.empty()) {
      life.name = name;
      life.object = event.object;
      m_last = name;
    }
    if (event.kind == WatchEvent::Kind::deleted) {
      life.gone = Clock::now();
    } else if (!life.ready && all_run(event.object)) {
      life.ready = Clock::now();
    }
    m_changed.notify_all();
    return true;
  };
  try {
    watch(m_client, {.resource = kubernetes::resources::k_pods, .name_space = m_name_space}, note,
          Clock::time_point::max(), stop);
  } catch (const support::Cancelled&) {
  } catch (const std::exception& error) {
    const std::lock_guard guard(m_mutex);
    m_trouble = error.what();
    m_changed.notify_all();
  }
}

template <class Condition>
void PodFollower::await(Condition&& condition, const std::string& what) {
  std::unique_lock lock(m_mutex);
  const bool came =
      m_changed.wait_for(lock, k_patience, [&] { return !m_trouble.empty() || condition(); });
  if (!m_trouble.empty()) throw std::runtime_error("watching the pods: " + m_trouble);
  if (!came) throw std::runtime_error(fmt::format("not within {}: {}", k_patience.count(), what));
}

PodFollower::TimePoint PodFollower::await_ready(const std::string& name) {
  await([&] { return m_lives[name].ready.has_value(); }, name + " runs");
  const std::lock_guard guard(m_mutex);
  return *m_lives[name].ready;
}

void PodFollower::await_all_gone() {
  await(
      [&] {
        return std::all_of(m_lives.begin(), m_lives.end(), [](const auto& one) {
          return one.second.name.empty() || one.second.gone.has_value();
        });
      },
      "all pods are gone");
}

PodFollower::Life PodFollower::last() const {
  const std::lock_guard guard(m_mutex);
  return m_lives.at(m_last);
}

nlohmann::json manifest_like(const nlohmann::json& pod, const std::string& name) {
  nlohmann::json manifest = {
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata", {{"name", name}, {"namespace", pod.at("metadata").at("namespace")}}},
      {"spec", pod.at("spec")}};
  // Gates are the driver's own, to be lifted by it; the rest the server adds again.
  for (const char* added : {"nodeName", "schedulingGates", "serviceAccount", "tolerations"}) {
    manifest["spec"].erase(added);
  }
  return manifest;
}

double bare_pod_start(kubernetes::Client& client, PodFollower& follower,
                      const nlohmann::json& manifest) {
  const std::string name = manifest.at("metadata").at("name");
  const std::string name_space = manifest.at("metadata").at("namespace");
  const auto begin = Clock::now();
  client.create(kubernetes::resources::k_pods, name_space, manifest, {});
  const auto ready = follower.await_ready(name);
  const auto removal = Clock::now();
  client.remove(kubernetes::resources::k_pods, name_space, name, {.grace_seconds = 1}, {});
  return std::chrono::duration<double>((ready - begin) + (Clock::now() - removal)).count();
}

}  // namespace berth::bench
