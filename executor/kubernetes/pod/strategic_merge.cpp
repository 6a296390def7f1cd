// The algorithm is that of Kubernetes' own library for clients
// (k8s.io/apimachinery, pkg/util/strategicpatch); which lists merge, and by which
// key, stands in the API's types (k8s.io/api, core/v1, patchStrategy). Tolerations,
// for one, do not: they are replaced.

#include "executor/kubernetes/pod/strategic_merge.hpp"

#include "executor/support/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace berth::kubernetes {
namespace {

using nlohmann::json;

constexpr const char* k_patch = "$patch";
constexpr const char* k_retain_keys = "$retainKeys";
constexpr std::string_view k_order = "$setElementOrder/";
constexpr std::string_view k_delete_from = "$deleteFromPrimitiveList/";

/// The types in which lists merge.
enum class Type { pod_spec, container, other };

/// A list of objects that merges.
struct MergingList {
  Type owner;
  std::string_view field;
  const char* key;
  Type element;
};

const MergingList* merging_list(Type owner, std::string_view field) {
  static constexpr std::array<MergingList, 14> k_lists{{
      {Type::pod_spec, "volumes", "name", Type::other},
      {Type::pod_spec, "containers", "name", Type::container},
      {Type::pod_spec, "initContainers", "name", Type::container},
      {Type::pod_spec, "ephemeralContainers", "name", Type::container},
      {Type::pod_spec, "imagePullSecrets", "name", Type::other},
      {Type::pod_spec, "hostAliases", "ip", Type::other},
      {Type::pod_spec, "topologySpreadConstraints", "topologyKey", Type::other},
      {Type::pod_spec, "schedulingGates", "name", Type::other},
      {Type::pod_spec, "resourceClaims", "name", Type::other},
      {Type::pod_spec, "evictionResponders", "name", Type::other},
      {Type::container, "ports", "containerPort", Type::other},
      {Type::container, "env", "name", Type::other},
      {Type::container, "volumeMounts", "mountPath", Type::other},
      {Type::container, "volumeDevices", "devicePath", Type::other},
  }};
  const auto* found = std::find_if(k_lists.begin(), k_lists.end(), [&](const MergingList& one) {
    return one.owner == owner && one.field == field;
  });
  return found == k_lists.end() ? nullptr : found;
}

[[noreturn]] void fail(const std::string& place, std::string_view why) {
  throw support::OperatorError(
      fmt::format("strategic merge patch: {}: {}", place.empty() ? "/" : place, why));
}

/// Takes nulls and directives out of what is new; false where nothing remains.
bool clean(json& value) {
  if (value.is_object()) {
    if (value.contains(k_patch)) return false;
    for (auto item = value.begin(); item != value.end();) {
      const bool directive = item.key().starts_with('$');
      item = directive || item->is_null() || !clean(*item) ? value.erase(item) : std::next(item);
    }
  } else if (value.is_array()) {
    for (auto item = value.begin(); item != value.end();) {
      item = clean(*item) ? std::next(item) : value.erase(item);
    }
  }
  return true;
}

/// What two elements of a list are the same by.
const json& identity(const json& element, const char* key) {
  return key == nullptr ? element : element.at(key);
}

bool contains(const json& list, const json& element, const char* key) {
  return std::any_of(list.begin(), list.end(),
                     [&](const json& one) { return identity(one, key) == identity(element, key); });
}

std::size_t index_of(const json& list, const json& element, const char* key) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const json& one) {
    return identity(one, key) == identity(element, key);
  });
  return static_cast<std::size_t>(found - list.begin());
}

/// Elements that `order` names stand in its order, the others in their own, and
/// these come before the first of those that was behind them at the beginning.
json ordered(const json& merged, const json& order, const json& before, const char* key) {
  std::vector<json> named;
  std::vector<json> others;
  for (const json& element : merged) {
    (contains(order, element, key) ? named : others).push_back(element);
  }
  std::stable_sort(named.begin(), named.end(), [&](const json& left, const json& right) {
    return index_of(order, left, key) < index_of(order, right, key);
  });
  json all = json::array();
  std::size_t other = 0;
  std::size_t next = 0;
  while (other < others.size() || next < named.size()) {
    const auto other_goes_first = [&] {
      const std::size_t here = index_of(before, others[other], key);
      const std::size_t there = index_of(before, named[next], key);
      return there < before.size() && here < there;
    };
    if (next == named.size() || (other < others.size() && other_goes_first())) {
      all.push_back(others[other++]);
    } else {
      all.push_back(named[next++]);
    }
  }
  return all;
}

class Merger {
 public:
  void merge(json& original, const json& patch, Type type, const std::string& place) {
    if (const auto directive = patch.find(k_patch); directive != patch.end()) {
      replace_whole(original, patch, *directive, place);
      return;
    }
    retain_keys(original, patch, place);
    for (const auto& [key, value] : patch.items()) {
      const std::string where = fmt::format("{}/{}", place, key);
      if (key.starts_with(k_order)) {
        if (!patch.contains(key.substr(k_order.size()))) {
          order_only(original, key.substr(k_order.size()), value, type, where);
        }
      } else if (key.starts_with(k_delete_from)) {
        delete_values(original, key.substr(k_delete_from.size()), value, where);
      } else if (key.starts_with('$')) {
        if (key != k_retain_keys) fail(where, "unknown directive");
      } else if (value.is_null()) {
        original.erase(key);
      } else {
        const auto order = patch.find(std::string(k_order) + key);
        merge_field(original, key, value, order == patch.end() ? nullptr : &*order, type, where);
      }
    }
  }

 private:
  static void replace_whole(json& original, const json& patch, const json& directive,
                            const std::string& place) {
    if (directive == "replace") {
      original = patch;
      original.erase(k_patch);
      clean(original);
    } else if (directive == "delete") {
      original = json::object();
    } else if (directive == "merge") {
      fail(place, "$patch: merge is no directive of its own; leave it out");
    } else {
      fail(place, "$patch must be replace or delete");
    }
  }

  static void retain_keys(json& original, const json& patch, const std::string& place) {
    const auto found = patch.find(k_retain_keys);
    if (found == patch.end()) return;
    if (!found->is_array()) fail(place, "$retainKeys must be a list of keys");
    const auto retained = [&](const std::string& key) {
      return std::find(found->begin(), found->end(), json(key)) != found->end();
    };
    for (const auto& [key, value] : patch.items()) {
      if (!value.is_null() && !key.starts_with('$') && !retained(key)) {
        fail(place, fmt::format("$retainKeys does not name '{}', which the patch sets", key));
      }
    }
    for (auto item = original.begin(); item != original.end();) {
      item = retained(item.key()) ? std::next(item) : original.erase(item);
    }
  }

  void merge_field(json& original, const std::string& key, const json& value, const json* order,
                   Type type, const std::string& where) {
    const auto found = original.find(key);
    const MergingList* list = merging_list(type, key);
    if (value.is_array() && list != nullptr) {
      merge_list(original, *list, key, value, order, where);
    } else if (found != original.end() && found->is_object() && value.is_object()) {
      merge(*found, value, Type::other, where);
    } else {
      json fresh = value;
      if (clean(fresh)) {
        original[key] = std::move(fresh);
      } else {
        original.erase(key);
      }
    }
  }

  void merge_list(json& original, const MergingList& list, const std::string& key,
                  const json& patch, const json* order, const std::string& where) {
    json merged = original.value(key, json::array());
    if (!merged.is_array()) merged = json::array();
    check_keys(merged, list.key, where);
    json before = merged;
    json wanted = json::array();
    bool replace = false;
    for (const json& element : patch) {
      if (!element.is_object()) fail(where, "must be a list of objects");
      const auto directive = element.find(k_patch);
      if (directive == element.end()) {
        wanted.push_back(element);
      } else if (*directive == "replace") {
        replace = true;
      } else if (*directive == "delete") {
        check_keys(json::array({element}), list.key, where);
        for (auto one = merged.begin(); one != merged.end();) {
          one = one->at(list.key) == element.at(list.key) ? merged.erase(one) : std::next(one);
        }
      } else {
        fail(where, "$patch must be replace or delete");
      }
    }
    if (replace) {
      clean(wanted);
      original[key] = std::move(wanted);
      return;
    }
    check_keys(wanted, list.key, where);
    before = merged;
    for (const json& element : wanted) {
      const std::size_t at = index_of(merged, element, list.key);
      if (at < merged.size()) {
        merge(merged[at], element, list.element, where + "/" + identity(element, list.key).dump());
      } else {
        merged.push_back(element);
        clean(merged.back());
      }
    }
    original[key] = ordered(merged, order == nullptr ? wanted : keyed(*order, list.key, where),
                            before, list.key);
  }

  /// The list is only brought into another order.
  static void order_only(json& original, const std::string& key, const json& order, Type type,
                         const std::string& where) {
    const auto found = original.find(key);
    const MergingList* list = merging_list(type, key);
    if (found == original.end() || !found->is_array()) return;
    if (list == nullptr) fail(where, "this list does not merge, so it has no order to set");
    check_keys(*found, list->key, where);
    const json before = *found;
    *found = ordered(before, keyed(order, list->key, where), before, list->key);
  }

  static const json& keyed(const json& order, const char* key, const std::string& where) {
    if (!order.is_array()) fail(where, "must be a list");
    check_keys(order, key, where);
    return order;
  }

  static void check_keys(const json& list, const char* key, const std::string& where) {
    for (const json& element : list) {
      if (!element.is_object() || !element.contains(key) || element.at(key).is_null()) {
        fail(where, fmt::format("an element has no '{}'", key));
      }
    }
  }

  static void delete_values(json& original, const std::string& key, const json& values,
                            const std::string& where) {
    const auto found = original.find(key);
    if (!values.is_array()) fail(where, "must be a list");
    if (found == original.end() || !found->is_array()) return;
    for (const json& value : values) {
      for (auto one = found->begin(); one != found->end();) {
        one = *one == value ? found->erase(one) : std::next(one);
      }
    }
  }
};

}  // namespace

json strategic_merge(const json& pod_spec, const json& patch) {
  if (!patch.is_object()) fail("", "must be a map");
  json result = pod_spec;
  Merger().merge(result, patch, Type::pod_spec, "");
  return result;
}

}  // namespace berth::kubernetes
