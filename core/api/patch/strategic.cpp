// SPDX-License-Identifier: Apache-2.0
// Strategic merge patch. For one map, in this order:
//   1. "$patch" replaces or empties the whole map.
//   2. "$retainKeys" drops what it does not list.
//   3. "$setElementOrder/F" merges list F and brings it into the given order.
//   4. every other member: null deletes, "$deleteFromPrimitiveList/F" takes values out, maps and merge lists
//      recurse, all else replaces.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "core/api/patch/patch.hpp"

namespace flotilla::api {
namespace {

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kDeletePrefix = "$deleteFromPrimitiveList/";
constexpr std::string_view kOrderPrefix = "$setElementOrder/";

using Elements = std::vector<Json>;

struct ListRule {
  bool merge = false;
  std::string_view key;  // empty: a list of primitives
  const Schema* items = &Schema::any();
};

Elements to_elements(Json list) {
  Elements out;
  for (Json& one : list.elements()) out.push_back(std::move(one));
  return out;
}

Json to_json(Elements elements) {
  Json list = Json::array();
  for (Json& one : elements) list.push_back(std::move(one));
  return list;
}

ListRule list_rule(const Schema& schema, std::string_view name) {
  const Field* field = schema.field(name);
  if (!field || !field->schema->is(SchemaKind::List)) return {};
  return {field->patch.merge, field->patch.merge_key, &field->schema->items()};
}

bool same_kind(const Json& a, const Json& b) {
  return a.type() == b.type() || (a.is_number() && b.is_number());
}

// Two elements are the same if their merge keys are, or for primitives they themselves.
bool same_element(const Json& a, const Json& b, std::string_view key) {
  return key.empty() ? a == b : a[key] == b[key];
}

// Equal for elements that are the same: 1 and 1.0 are.
std::string identity(const Json& element, std::string_view key) {
  const Json& value = key.empty() ? element : element[key];
  constexpr std::int64_t kNone = INT64_MIN;
  if (value.is_number() && value.as_int(kNone) != kNone) return std::to_string(value.as_int());
  return value.dump();
}

// Where elements stand in a list, the first of those that are the same. A patch may have a hundred thousand.
class Positions {
 public:
  Positions(const Elements& list, std::string_view key) : key_(key) {
    for (const Json& one : list) add(one);
  }
  // At the end of the list.
  void add(const Json& element) { at_.try_emplace(identity(element, key_), size_++); }

  bool contains(const Json& element) const { return at_.contains(identity(element, key_)); }
  std::optional<std::size_t> find(const Json& element) const {
    const auto found = at_.find(identity(element, key_));
    return found == at_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::string_view key_;
  std::unordered_map<std::string, std::size_t> at_;
  std::size_t size_ = 0;
};

struct Ranked {
  std::optional<std::size_t> server;
  std::size_t rank = 0;  // in the order it is sorted by
  Json element;
};

// Elements of the patch in the patch's order, the rest in the server's, woven by the server's order.
Elements weave(Elements merged, const Elements& patch_order, const Elements& server_order,
               std::string_view key) {
  const Positions in_patch(patch_order, key), in_server(server_order, key);
  std::vector<Ranked> of_patch, of_server;
  for (Json& one : merged) {
    const auto server = in_server.find(one);
    if (const auto patch = in_patch.find(one)) {
      of_patch.push_back({server, *patch, std::move(one)});
    } else {
      of_server.push_back({server, server.value_or(server_order.size()), std::move(one)});
    }
  }
  for (auto* some : {&of_patch, &of_server}) {
    std::stable_sort(some->begin(), some->end(),
                     [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
  }
  Elements out;
  std::size_t i = 0, j = 0;
  while (i < of_server.size() || j < of_patch.size()) {
    bool server_first = j >= of_patch.size();
    if (!server_first && i < of_server.size()) {
      const auto left = of_server[i].server, right = of_patch[j].server;
      server_first = left && right && *left < *right;
    }
    out.push_back(std::move(server_first ? of_server[i++].element : of_patch[j++].element));
  }
  return out;
}

Error no_merge_key(const Json& element, std::string_view key) {
  return unknown_error("map: " + element.dump() +
                       " does not contain declared merge key: " + std::string(key));
}

// What is new to the document carries no directives and no nulls.
void clean(Json& value) {
  if (value.is_array()) {
    Elements kept;
    for (Json& element : value.elements()) {
      if (element.is_object() && element.contains(kDirective)) continue;
      clean(element);
      kept.push_back(std::move(element));
    }
    value = to_json(std::move(kept));
  }
  for (const std::string& key : value.keys()) {
    Json& member = *value.find(key);
    const bool directive = key == kDirective || key == kRetainKeys || key.starts_with(kDeletePrefix) ||
                           key.starts_with(kOrderPrefix);
    if (directive || member.is_null()) {
      value.erase(key);
    } else {
      clean(member);
    }
  }
}

class StrategicMerge {
 public:
  Result<Json> map(Json live, Json patch, const Schema& schema) {
    if (const Json* directive = patch.find(kDirective)) {
      if (directive->as_string() == "replace") {
        patch.erase(kDirective);
        return patch;
      }
      if (directive->as_string() == "delete") return Json::object();
      return unknown_error("Unknown patch type: " + std::string(directive->as_string()));
    }
    if (Status kept = retain_keys(live, patch); !kept) return std::move(kept).error();
    if (Status ordered = set_orders(live, patch, schema); !ordered) return std::move(ordered).error();
    for (const std::string& key : patch.keys()) {
      if (Status merged = member(live, key, std::move(*patch.find(key)), schema); !merged)
        return std::move(merged).error();
    }
    return live;
  }

 private:
  static Status retain_keys(Json& live, Json& patch) {
    if (!patch.contains(kRetainKeys)) return {};
    const Json retained = std::move(*patch.find(kRetainKeys));
    patch.erase(kRetainKeys);
    std::unordered_set<std::string_view> names;
    for (const Json& one : retained.elements()) names.insert(one.as_string());
    const auto listed = [&](std::string_view key) { return names.contains(key); };
    bool good = retained.is_array();
    for (const auto& [key, value] : patch.members()) {
      if (value.is_null() || key.starts_with(kDeletePrefix) || key.starts_with(kOrderPrefix)) continue;
      good = good && listed(key);
    }
    if (!good) return bad_request("invalid patch format of retainKeys");
    for (const std::string& key : live.keys()) {
      if (!listed(key)) live.erase(key);
    }
    return {};
  }

  Status set_orders(Json& live, Json& patch, const Schema& schema) {
    for (const std::string& key : patch.keys()) {
      if (!key.starts_with(kOrderPrefix)) continue;
      const std::string name = key.substr(kOrderPrefix.size());
      Json order = std::move(*patch.find(key));
      patch.erase(key);
      if (!order.is_array()) return bad_request("invalid patch format of setElementOrder list");
      if (Status done = set_order(live, patch, name, to_elements(std::move(order)), list_rule(schema, name));
          !done)
        return done;
    }
    return {};
  }

  Status set_order(Json& live, Json& patch, const std::string& name, Elements order, const ListRule& rule) {
    const Json* in_patch = patch.find(name);
    const bool patched = in_patch && in_patch->is_array();
    const Json* in_live = live.find(name);
    const bool lives = in_live && in_live->is_array();
    if (!patched && !lives) return {};
    Elements server = lives ? to_elements(*in_live) : Elements{};
    Json merged = lives ? *in_live : Json::array();
    if (patched) {
      if (Status fits = check_order(*in_patch, order, rule.key); !fits) return fits;
      Json additions = *in_patch;
      if (lives) {
        auto both = list(std::move(merged), std::move(additions), rule, false);
        if (!both) return std::move(both).error();
        merged = *std::move(both);
      } else {
        clean(additions);
        merged = std::move(additions);
      }
      patch.erase(name);
    }
    live.set(name, to_json(weave(to_elements(std::move(merged)), order, server, rule.key)));
    return {};
  }

  // Every element of the patch has to be in the order, and in that order.
  static Status check_order(const Json& patch, const Elements& order, std::string_view key) {
    std::size_t next = 0;
    for (const Json& element : patch.elements()) {
      if (element.is_object() && element[kDirective].as_string() == "delete") continue;
      while (next < order.size() && !same_element(order[next], element, key)) ++next;
      if (next == order.size()) {
        return unknown_error("The order in patch list:\n" + patch.dump() +
                             "\n doesn't match $setElementOrder list:\n" + to_json(order).dump() + "\n");
      }
      ++next;
    }
    return {};
  }

  Status member(Json& live, std::string key, Json value, const Schema& schema) {
    const bool deletes = key.starts_with(kDeletePrefix);
    if (deletes) key.erase(0, kDeletePrefix.size());
    if (value.is_null()) return live.erase(key), Status{};
    Json* old = live.find(key);
    if (!old || !same_kind(*old, value)) {
      if (deletes) return {};
      clean(value);
      live.set(key, std::move(value));
      return {};
    }
    if (value.is_object()) {
      const Field* field = schema.field(key);
      const Schema* inner = schema.member(key);
      if (field && field->patch.replace) return *old = std::move(value), Status{};
      auto merged = map(std::move(*old), std::move(value), inner ? *inner : Schema::any());
      if (!merged) return std::move(merged).error();
      *old = *std::move(merged);
    } else if (value.is_array()) {
      const ListRule rule = list_rule(schema, key);
      auto merged = list(std::move(*old), std::move(value), rule, deletes);
      if (!merged) return std::move(merged).error();
      *old = *std::move(merged);
    } else {
      *old = std::move(value);
    }
    return {};
  }

  Result<Json> list(Json live, Json patch, const ListRule& rule, bool deletes) {
    if (!rule.merge && !deletes) return patch;
    Elements server = to_elements(std::move(live));
    Elements changes = to_elements(std::move(patch));
    if (server.empty() && changes.empty()) return to_json(std::move(server));
    const Json& model = server.empty() ? changes.front() : server.front();
    const bool maps = model.is_object();
    for (const Elements* all : {&server, &changes}) {
      for (const Json& one : *all) {
        if (one.is_array() || one.is_object() != maps)
          return unknown_error("list element types are not identical");
      }
    }
    if (!maps) return primitives(std::move(server), std::move(changes), deletes);
    if (rule.key.empty()) return unknown_error("cannot merge lists without merge key");
    return objects(std::move(server), std::move(changes), rule);
  }

  static Json primitives(Elements server, Elements changes, bool deletes) {
    if (deletes) {
      const Positions gone(changes, "");
      std::erase_if(server, [&](const Json& one) { return gone.contains(one); });
      return to_json(std::move(server));
    }
    Elements merged;
    Positions there(merged, "");
    for (const Elements* all : {&server, &changes}) {
      for (const Json& one : *all) {
        if (there.contains(one)) continue;
        there.add(one);
        merged.push_back(one);
      }
    }
    return to_json(weave(std::move(merged), changes, server, ""));
  }

  Result<Json> objects(Elements server, Elements changes, const ListRule& rule) {
    Elements plain, gone;
    bool replace = false;
    for (Json& one : changes) {
      const Json* directive = one.find(kDirective);
      if (!directive) {
        plain.push_back(std::move(one));
        continue;
      }
      if (directive->as_string() == "replace") {
        replace = true;
      } else if (directive->as_string() == "delete") {
        if (!one.contains(rule.key)) return no_merge_key(one, rule.key);
        gone.push_back(std::move(one));
      } else {
        return unknown_error("Unknown patch type: " + directive->dump());
      }
    }
    if (replace) return to_json(std::move(plain));
    const Positions deleted(gone, rule.key);
    std::erase_if(server, [&](const Json& old) { return deleted.contains(old); });
    Elements merged = server;
    Positions there(merged, rule.key);
    for (const Json& one : plain) {
      if (!one.contains(rule.key)) return no_merge_key(one, rule.key);
      const auto at = there.find(one);
      if (!at) {
        Json fresh = one;
        clean(fresh);
        there.add(fresh);
        merged.push_back(std::move(fresh));
        continue;
      }
      auto both = map(std::move(merged[*at]), one, *rule.items);
      if (!both) return both;
      merged[*at] = *std::move(both);
    }
    return to_json(weave(std::move(merged), plain, server, rule.key));
  }
};

}  // namespace

Result<Json> strategic_merge(Json live, Json patch, const Schema& schema) {
  return StrategicMerge().map(std::move(live), std::move(patch), schema);
}

Result<Patched> strategic_merge_patch(const Json& live, std::string_view patch, const Schema& schema) {
  DuplicateKeys duplicates;
  auto parsed = Json::parse(patch, {}, &duplicates);
  if (!parsed) return bad_request(go_json_error(patch));
  Patched out;
  if (parsed->is_null()) return out.object = live, out;
  if (!parsed->is_object())
    return bad_request("json: cannot unmarshal array into Go value of type map[string]interface {}");
  auto merged = strategic_merge(live, *std::move(parsed), schema);
  if (!merged) return std::move(merged).error();
  out.object = *std::move(merged);
  for (const std::string& path : duplicates) out.problems.push_back("duplicate field \"" + path + "\"");
  return out;
}

}  // namespace flotilla::api
