// SPDX-License-Identifier: Apache-2.0
#include "core/planning/fields.hpp"

#include <algorithm>
#include <set>

#include "core/api/karmada.hpp"
#include "core/api/object.hpp"
#include "core/api/patch/last_applied.hpp"
#include "core/controllers/decision_keys.hpp"

namespace flotilla::planning {
namespace {

namespace a = api::annotations;
constexpr std::size_t kLongest = 256;

bool is_plain(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

const Json* find_by(const Json& list, std::string_view key, std::string_view value) {
  for (const Json& element : list.elements()) {
    if (element[key].as_string() == value) return &element;
  }
  return nullptr;
}

class Comparison {
 public:
  std::vector<FieldChange> take() { return std::move(changes_); }

  void compare(const std::string& path, const Json& before, const Json& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) return objects(path, before, after);
    if (before.is_array() && after.is_array()) return lists(path, before, after);
    changes_.push_back({path, &before, &after});
  }

 private:
  // What appears or goes is shown leaf by leaf only where it is an object.
  void one_sided(const std::string& path, const Json* before, const Json* after) {
    changes_.push_back({path, before, after});
  }

  void objects(const std::string& path, const Json& before, const Json& after) {
    for (const auto& [key, value] : before.members()) {
      const std::string below = join_key(path, key);
      const Json* other = after.find(key);
      if (other == nullptr) {
        one_sided(below, &value, nullptr);
      } else {
        compare(below, value, *other);
      }
    }
    for (const auto& [key, value] : after.members()) {
      if (!before.contains(key)) one_sided(join_key(path, key), nullptr, &value);
    }
  }

  void lists(const std::string& path, const Json& before, const Json& after) {
    const std::string_view key = element_key(before);
    if (!key.empty() && key == element_key(after)) return named(path, key, before, after);
    const std::size_t both = std::min(before.size(), after.size());
    for (std::size_t i = 0; i < both; ++i) compare(join_index(path, i), before.element(i), after.element(i));
    for (std::size_t i = both; i < before.size(); ++i)
      one_sided(join_index(path, i), &before.element(i), nullptr);
    for (std::size_t i = both; i < after.size(); ++i)
      one_sided(join_index(path, i), nullptr, &after.element(i));
  }

  void named(const std::string& path, std::string_view key, const Json& before, const Json& after) {
    const auto place = [&](std::string_view name) { return path + "[" + std::string(name) + "]"; };
    for (const Json& element : before.elements()) {
      const std::string_view name = element[key].as_string();
      const Json* other = find_by(after, key, name);
      if (other == nullptr) {
        one_sided(place(name), &element, nullptr);
      } else {
        compare(place(name), element, *other);
      }
    }
    for (const Json& element : after.elements()) {
      const std::string_view name = element[key].as_string();
      if (find_by(before, key, name) == nullptr) one_sided(place(name), nullptr, &element);
    }
  }

  std::vector<FieldChange> changes_;
};

void erase_members(Json& object, std::string_view map, std::initializer_list<std::string_view> keys) {
  Json* metadata = object.find("metadata");
  Json* members = metadata == nullptr ? nullptr : metadata->find(map);
  if (members == nullptr) return;
  for (const std::string_view key : keys) members->erase(key);
  if (members->empty()) metadata->erase(map);
}

// Values nobody may read in a plan: that they differ is all that is said.
void hide_values(Json& secret) {
  for (const char* part : {"data", "stringData"}) {
    Json* values = secret.find(part);
    if (values == nullptr) continue;
    for (const std::string& key : values->keys()) {
      Digest digest;
      digest.add(std::as_const(*values)[key].as_string());
      values->set(key, "(secret, " + digest.hex().substr(0, 6) + ")");
    }
  }
}

}  // namespace

std::vector<FieldChange> field_changes(const Json& before, const Json& after) {
  Comparison comparison;
  comparison.compare("", before, after);
  return comparison.take();
}

std::string join_key(std::string_view path, std::string_view key) {
  std::string out(path);
  if (is_plain(key)) {
    if (!out.empty()) out += '.';
    out += key;
  } else {
    out.append("[").append(key).append("]");
  }
  return out;
}

std::string join_index(std::string_view path, std::size_t index) {
  return std::string(path) + "[" + std::to_string(index) + "]";
}

std::string_view element_key(const Json& list) {
  std::set<std::string_view> names;
  for (const Json& element : list.elements()) {
    const std::string_view name = element["name"].as_string();
    if (name.empty() || !names.insert(name).second) return {};
  }
  return names.empty() ? std::string_view() : "name";
}

Json comparable(const Json& object) {
  Json copy = object;
  copy.erase("status");
  if (Json* metadata = copy.find("metadata")) {
    for (const char* key : {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"})
      metadata->erase(key);
  }
  erase_members(copy, "annotations",
                {api::kLastApplied, a::kManagedAnnotations, a::kManagedLabels, a::kTemplateGeneration,
                 a::kTemplateUid, a::kAppliedPlacement, controllers::kDecisionNumber});
  if (object["kind"].as_string() == "Secret" && object["apiVersion"].as_string() == "v1") hide_values(copy);
  return copy;
}

std::string shown(const Json& value) {
  std::string text = value.is_string() ? std::string(value.as_string()) : value.dump();
  if (text.size() > kLongest) {
    std::size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end) + "…";
  }
  return text;
}

Json changes_to_json(const std::vector<FieldChange>& changes, std::size_t most) {
  Json list = Json::array();
  for (std::size_t i = 0; i < changes.size() && i < most; ++i) {
    Json entry = Json::object({{"path", changes[i].path}});
    const auto put = [&](const char* key, const Json* value) {
      if (value == nullptr) return;
      const bool text = value->is_string() && value->as_string().size() > kLongest;
      entry.set(key, text ? Json(shown(*value)) : *value);
    };
    put("before", changes[i].before);
    put("after", changes[i].after);
    list.push_back(std::move(entry));
  }
  if (changes.size() > most) {
    list.push_back(Json::object({{"path", "…"}, {"after", std::to_string(changes.size() - most) + " more"}}));
  }
  return list;
}

void Digest::add(std::string_view text) {
  for (const char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  value_ = (value_ ^ 0xff) * 1099511628211ull;  // where one text ends and the next begins
}

std::string Digest::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(16, '0');
  for (int i = 0; i < 16; ++i) out[15 - i] = kDigits[value_ >> (4 * i) & 15];
  return out;
}

}  // namespace flotilla::planning
