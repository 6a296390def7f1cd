#include "tests/contract/fake_images.hpp"

#include "tests/contract/engine_call.hpp"

namespace berth::tests {

using nlohmann::json;

EngineReply FakeImages::answer(const EngineCall& call) {
  if (call.method == "POST" && call.path.size() == 2 && call.at(1) == "create") return pull(call);
  // A name has slashes of its own: /images/<name>/json.
  std::string name;
  for (std::size_t i = 1; i + 1 < call.path.size(); ++i) name += (i > 1 ? "/" : "") + call.path[i];
  return inspect(name);
}

std::optional<FakeImage> FakeImages::find(const std::string& name) {
  const std::lock_guard lock(m_mutex);
  const FakeImage* image = lookup(name);
  if (image == nullptr || !image->present) return std::nullopt;
  return *image;
}

FakeImage* FakeImages::lookup(std::string name) {
  if (name.starts_with("sha256:")) name = name.substr(7);
  for (const std::string& candidate : {name, name + ":latest"}) {
    if (auto found = m_images.find(candidate); found != m_images.end()) return &found->second;
  }
  return nullptr;
}

EngineReply FakeImages::pull(const EngineCall& call) {
  std::string name = call.query.at("fromImage");
  if (auto tag = call.query.find("tag"); tag != call.query.end() && !tag->second.empty()) {
    name += ":" + tag->second;
  }
  const std::lock_guard lock(m_mutex);
  FakeImage* image = lookup(name);
  if (image == nullptr) return refuse(404, "manifest for " + name + " not found");
  if (!image->pull_error.empty()) return refuse(404, image->pull_error);
  image->present = true;
  return reply(200, {{"status", "Status: Downloaded newer image for " + name}});
}

EngineReply FakeImages::inspect(const std::string& name) {
  const std::optional<FakeImage> image = find(name);
  if (!image) return refuse(404, "No such image: " + name);
  json ports = json::object();
  for (const std::string& port : image->exposed_ports) ports[port] = json::object();
  return reply(200, {{"Id", "sha256:" + name},
                     {"RepoTags", {name}},
                     {"RepoDigests", json::array()},
                     {"Architecture", "amd64"},
                     {"Os", "linux"},
                     {"Config",
                      {{"Entrypoint", image->entrypoint},
                       {"Cmd", {"sh"}},
                       {"Env", image->env},
                       {"User", image->user},
                       {"ExposedPorts", ports}}}});
}

}  // namespace berth::tests
