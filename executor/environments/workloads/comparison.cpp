#include "executor/environments/workloads/comparison.hpp"

#include "executor/environments/workloads/json_reading.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace berth::environments::workloads {
namespace {

using nlohmann::json;
using What = Difference::What;

constexpr std::array<std::string_view, 5> k_words = {"created", "changed", "remade", "removed",
                                                     "moved_tag"};

bool is_named_list(const json& list) {
  return list.is_array() && std::all_of(list.begin(), list.end(),
                                        [](const json& one) { return !word(one, "name").empty(); });
}

json by_name(const json& list) {
  json map = json::object();
  for (const json& one : list) map[word(one, "name")] = one;
  return map;
}

class Fields {
 public:
  Fields(std::vector<std::string>& paths, std::size_t limit) : m_paths(paths), m_limit(limit) {}

  void compare(const json& a, const json& b, const std::string& path) {
    if (a == b || m_full) return;
    if (a.is_object() && b.is_object()) {
      compare_members(a, b, [&](const std::string& key) {
        // Names of labels have dots of their own.
        if (key.find('.') != std::string::npos) return fmt::format("{}['{}']", path, key);
        return path.empty() ? key : path + "." + key;
      });
    } else if (is_named_list(a) && is_named_list(b)) {
      compare_members(by_name(a), by_name(b),
                      [&](const std::string& key) { return fmt::format("{}[{}]", path, key); });
    } else {
      add(path);
    }
  }

 private:
  template <typename Path>
  void compare_members(const json& a, const json& b, Path path_of) {
    std::set<std::string> keys;
    for (const json* one : {&a, &b}) {
      for (const auto& item : one->items()) keys.insert(item.key());
    }
    for (const std::string& key : keys) {
      if (a.contains(key) && b.contains(key)) {
        compare(a.at(key), b.at(key), path_of(key));
      } else {
        add(path_of(key));
      }
    }
  }

  void add(const std::string& path) {
    if (m_full) return;
    m_full = m_paths.size() >= m_limit;
    m_paths.push_back(m_full ? "..." : path);
  }

  std::vector<std::string>& m_paths;
  const std::size_t m_limit;
  bool m_full = false;
};

bool same_names(const std::vector<Image>& a, const std::vector<Image>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Image& x, const Image& y) {
    return x.container == y.container && x.image == y.image;
  });
}

/// Both known, and not the same.
bool digests_differ(const std::vector<Image>& a, const std::vector<Image>& b) {
  for (const Image& one : a) {
    for (const Image& other : b) {
      if (one.container == other.container && !one.digest.empty() && !other.digest.empty() &&
          one.digest != other.digest)
        return true;
    }
  }
  return false;
}

bool is_image_path(const std::string& path) {
  return path.ends_with("].image");
}

std::vector<std::string> other_fields(const Workload& before, const Workload& after) {
  constexpr std::size_t k_limit = 12;
  std::vector<std::string> fields =
      field_changes(json::parse(before.manifest, nullptr, false),
                    json::parse(after.manifest, nullptr, false), k_limit);
  std::erase_if(fields, is_image_path);
  return fields;
}

bool is_act_of_another(const Workload& workload) {
  return workload.id.kind == Kind::job && workload.owned;
}

Difference make(const Id& id, What what, const Workload* before, const Workload* after) {
  Difference one{.id = id, .what = what};
  if (before != nullptr) {
    one.before = before->images;
    one.revision_before = before->revision;
  }
  if (after != nullptr) {
    one.after = after->images;
    one.revision_after = after->revision;
  }
  return one;
}

std::string image_words(const Difference& difference) {
  std::string text;
  const auto add = [&](const std::string& container, const std::string& change) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", container, change);
  };
  for (const Image& after : difference.after) {
    const auto before =
        std::find_if(difference.before.begin(), difference.before.end(),
                     [&](const Image& one) { return one.container == after.container; });
    if (before == difference.before.end()) {
      add(after.container, after.text());
    } else if (before->image != after.image || digests_differ({*before}, {after})) {
      add(after.container, before->text() + " -> " + after.text());
    }
  }
  for (const Image& before : difference.before) {
    const bool gone =
        std::none_of(difference.after.begin(), difference.after.end(),
                     [&](const Image& one) { return one.container == before.container; });
    if (gone && !difference.after.empty()) add(before.container, before.text() + " -> none");
  }
  return text;
}

}  // namespace

std::vector<std::string> field_changes(const json& before, const json& after, std::size_t limit) {
  std::vector<std::string> paths;
  Fields(paths, limit).compare(before, after, {});
  return paths;
}

std::vector<Difference> diff(const Snapshot& before, const Snapshot& after) {
  std::set<Id> ids;
  for (const Snapshot* one : {&before, &after}) {
    for (const Workload& workload : one->workloads) ids.insert(workload.id);
  }
  std::vector<Difference> all;
  for (const Id& id : ids) {
    // A kind that was not seen on one side says nothing.
    if (!before.sees(id.kind) || !after.sees(id.kind)) continue;
    const Workload* old = before.find(id);
    const Workload* now = after.find(id);
    if (is_act_of_another(now != nullptr ? *now : *old)) continue;
    if (old == nullptr) {
      all.push_back(make(id, What::created, nullptr, now));
      continue;
    }
    if (now == nullptr) {
      if (id.kind != Kind::job) all.push_back(make(id, What::removed, old, nullptr));
      continue;
    }
    // A record keeps no uids, and neither it nor a snapshot every manifest.
    const bool known = !old->uid.empty() && !now->uid.empty();
    const bool manifests = !old->manifest.empty() && !now->manifest.empty();
    if (known && old->uid != now->uid) {
      all.push_back(make(id, What::remade, old, now));
      if (manifests) all.back().fields = other_fields(*old, *now);
    } else if (!same_names(old->images, now->images) ||
               (manifests && old->manifest != now->manifest)) {
      all.push_back(make(id, What::changed, old, now));
      if (manifests) all.back().fields = other_fields(*old, *now);
    } else if (digests_differ(old->images, now->images)) {
      all.push_back(make(id, What::moved_tag, old, now));
    }
  }
  return all;
}

std::vector<Difference> drift(const Snapshot& recorded, const Snapshot& live) {
  std::vector<Difference> all = diff(recorded, live);
  std::erase_if(all, [](const Difference& one) { return one.id.kind == Kind::job; });
  // A record that was deleted and made again just as it was is as recorded.
  std::erase_if(all, [](const Difference& one) {
    return one.what == What::remade && one.fields.empty() && same_names(one.before, one.after) &&
           !digests_differ(one.before, one.after);
  });
  return all;
}

std::string words(const Difference& difference) {
  static constexpr std::array<std::string_view, 5> k_said = {"was created", "changed",
                                                             "was made anew", "was removed",
                                                             "runs another image of the same tag"};
  std::string text = fmt::format("{} {}", difference.id.text(),
                                 k_said.at(static_cast<std::size_t>(difference.what)));
  const std::string images = image_words(difference);
  if (!images.empty()) text += ": " + images;
  if (!difference.fields.empty())
    text +=
        fmt::format("{}{}", images.empty() ? ": " : "; also ", fmt::join(difference.fields, ", "));
  return text;
}

nlohmann::ordered_json to_json(const Difference& difference) {
  const auto images = [](const std::vector<Image>& all) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Image& one : all)
      list.push_back({{"container", one.container}, {"image", one.image}, {"digest", one.digest}});
    return list;
  };
  return {{"kind", name_of(difference.id.kind)},
          {"name", difference.id.name},
          {"what", k_words.at(static_cast<std::size_t>(difference.what))},
          {"before", images(difference.before)},
          {"after", images(difference.after)},
          {"revision_before", difference.revision_before},
          {"revision_after", difference.revision_after},
          {"fields", difference.fields}};
}

}  // namespace berth::environments::workloads
