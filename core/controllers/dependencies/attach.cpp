// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/dependencies/attach.hpp"

#include <algorithm>
#include <tuple>

#include "core/api/karmada.hpp"
#include "core/api/names.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using api::ObjectKey;

std::string text_of(const Json& object, std::string_view key) {
  return std::string(object[key].as_string());
}

std::string selector_text(const Json& selector) {
  std::string text = "{";
  for (const std::string_view key : {"matchLabels", "matchExpressions"}) {
    if (selector[key].empty()) continue;
    text += (text.size() > 1 ? ",\"" : "\"") + std::string(key) + "\":" + selector[key].dump();
  }
  return text + "}";
}

ObjectKey key_of_entry(const Json& required) {
  return {text_of(required, "namespace"), text_of(required, "name")};
}

const Json* controller_of(const Json& object) {
  for (const Json& owner : object.at({"metadata", "ownerReferences"}).elements()) {
    if (owner["controller"].as_bool()) return &owner;
  }
  return nullptr;
}

// What those that need a binding say about conflicts and deletion: the bolder and the more careful wish win.
// A binding with a placement has a policy that says.
std::string decide(Json& binding, const FindBinding& find) {
  const Json& spec = std::as_const(binding)["spec"];
  if (!spec["placement"].is_null()) return {};
  bool overwrites = false;
  bool aborts = false;
  bool preserves = false;
  bool removes = false;
  for (const Json& required : spec["requiredBy"].elements()) {
    const Json* independent = find(key_of_entry(required));
    if (independent == nullptr) continue;
    const Json& wanted = (*independent)["spec"];
    const bool overwrite = wanted["conflictResolution"].as_string() == "Overwrite";
    const bool preserve = wanted["preserveResourcesOnDeletion"].as_bool();
    (overwrite ? overwrites : aborts) = true;
    (preserve ? preserves : removes) = true;
  }
  if (!overwrites && !aborts) {
    binding["spec"].set("conflictResolution", "Abort");
    binding["spec"].erase("preserveResourcesOnDeletion");
    return {};
  }
  binding["spec"].set("conflictResolution", overwrites ? "Overwrite" : "Abort");
  binding["spec"].set("preserveResourcesOnDeletion", preserves);
  std::string conflict;
  if (overwrites && aborts) conflict = "ConflictResolution mismatch (Overwrite vs Abort)";
  if (preserves && removes) {
    conflict += conflict.empty() ? "" : "; ";
    conflict += "PreserveResourcesOnDeletion mismatch (true vs false)";
  }
  return conflict;
}

Json snapshot_of(const Json& independent) {
  Json snapshot =
      Json::object({{"namespace", api::namespace_of(independent)}, {"name", api::name_of(independent)}});
  const Json& clusters = independent["spec"]["clusters"];
  if (!clusters.empty()) snapshot.set("clusters", clusters);
  return snapshot;
}

}  // namespace

Dependency Dependency::of(const Json& reference) {
  return {text_of(reference, "apiVersion"), text_of(reference, "kind"), text_of(reference, "namespace"),
          text_of(reference, "name"), reference["labelSelector"]};
}

bool Dependency::means(std::string_view object_name, const api::LabelSelector::Lookup& labels) const {
  if (!name.empty()) return name == object_name;
  const auto selector = api::LabelSelector::from_json(label_selector);
  return selector && selector->matches(labels);
}

Result<std::vector<Dependency>> dependencies_of(const Json& references, std::string_view name_space) {
  std::vector<Dependency> all;
  for (const Json& reference : references.elements()) {
    Dependency one = Dependency::of(reference);
    if (one.name.empty() && one.label_selector.is_null()) {
      return invalid("the dependency " + reference.dump() + " has neither name nor labelSelector");
    }
    if (!one.name_space.empty() && one.name_space != name_space) {
      return invalid("the dependency " + reference.dump() + " is not in namespace " +
                     std::string(name_space) + ": dependencies are of the namespace of what depends on them");
    }
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(std::move(one));
  }
  std::sort(all.begin(), all.end(), [](const Dependency& a, const Dependency& b) {
    const auto rank = [](const Dependency& one) {
      return std::tuple(one.api_version, one.kind, one.name_space, one.name, one.label_selector.dump());
    };
    return rank(a) < rank(b);
  });
  return all;
}

std::string dependencies_text(const std::vector<Dependency>& dependencies) {
  if (dependencies.empty()) return "null";
  std::string text = "[";
  for (const Dependency& one : dependencies) {
    text += text.size() > 1 ? ",{" : "{";
    text += "\"apiVersion\":" + Json(one.api_version).dump() + ",\"kind\":" + Json(one.kind).dump();
    if (!one.name_space.empty()) text += ",\"namespace\":" + Json(one.name_space).dump();
    if (!one.name.empty()) text += ",\"name\":" + Json(one.name).dump();
    if (!one.label_selector.is_null()) text += ",\"labelSelector\":" + selector_text(one.label_selector);
    text += "}";
  }
  return text + "]";
}

std::vector<Dependency> parse_dependencies(std::string_view text) {
  std::vector<Dependency> all;
  const auto parsed = text.empty() ? Result<Json>(Json()) : Json::parse(text);
  if (!parsed) return all;
  for (const Json& reference : parsed->elements()) all.push_back(Dependency::of(reference));
  return all;
}

std::string depended_by_label(const ObjectKey& independent) {
  return std::string(api::labels::kDependedByPrefix) +
         api::binding_reference_key(independent.ns, independent.name);
}

Json build_attached(const Json& independent, const Json& object) {
  const Json& metadata = object["metadata"];
  Json resource = Json::object({{"apiVersion", object["apiVersion"]}, {"kind", object["kind"]}});
  for (const std::string_view key : {"namespace", "name", "uid", "resourceVersion"}) {
    if (!metadata[key].as_string().empty()) resource.set(key, metadata[key]);
  }
  Json owner = Json::object({{"apiVersion", object["apiVersion"]},
                             {"kind", object["kind"]},
                             {"name", metadata["name"]},
                             {"uid", metadata["uid"]},
                             {"controller", true},
                             {"blockOwnerDeletion", true}});
  Json label = Json::object();
  label.set(depended_by_label(api::key_of(independent)),
            api::label_of(independent, api::labels::kResourceBindingId));
  Json spec = Json::object(
      {{"resource", std::move(resource)}, {"requiredBy", Json::array({snapshot_of(independent)})}});
  for (const std::string_view key : {"conflictResolution", "preserveResourcesOnDeletion"}) {
    const Json& value = independent["spec"][key];
    if (!value.is_null()) spec.set(key, value);
  }
  return Json::object(
      {{"apiVersion", api::versions::kBinding},
       {"kind", "ResourceBinding"},
       {"metadata",
        Json::object({{"name", api::binding_name(object["kind"].as_string(), api::name_of(object))},
                      {"namespace", api::namespace_of(independent)},
                      {"labels", std::move(label)},
                      {"ownerReferences", Json::array({std::move(owner)})},
                      {"finalizers", Json::array({api::finalizers::kBinding})}})},
       {"spec", std::move(spec)}});
}

Result<Attached> attach(const Json& existing, const Json& desired, const FindBinding& find) {
  const Json* before = controller_of(existing);
  const Json* after = controller_of(desired);
  if (before != nullptr && after != nullptr && (*before)["uid"] != (*after)["uid"]) {
    return Error(Code::Conflict,
                 "the binding still belongs to an earlier object of this name (other uid): waiting for it to "
                 "be garbage collected");
  }
  Attached attached{existing, {}};
  Json& binding = attached.binding;
  for (const auto [key, value] : desired.at({"metadata", "labels"}).members())
    binding.make({"metadata", "labels", key}) = value;
  binding["spec"].set("resource", desired.at({"spec", "resource"}));
  Json required = Json::array();
  const Json& entry = desired.at({"spec", "requiredBy"}).element(0);
  bool known = false;
  for (const Json& one : existing.at({"spec", "requiredBy"}).elements()) {
    const bool same = key_of_entry(one) == key_of_entry(entry);
    required.push_back(same ? entry : one);
    known |= same;
  }
  if (!known) required.push_back(entry);
  binding["spec"].set("requiredBy", std::move(required));
  attached.conflict = decide(binding, find);
  return attached;
}

Attached detach(const Json& existing, const ObjectKey& independent, const FindBinding& find) {
  Attached attached{existing, {}};
  Json& binding = attached.binding;
  if (existing.at({"metadata", "labels"}).contains(depended_by_label(independent))) {
    binding.make({"metadata", "labels"}).erase(depended_by_label(independent));
    if (std::as_const(binding).at({"metadata", "labels"}).empty()) binding["metadata"].erase("labels");
  }
  Json required = Json::array();
  for (const Json& one : existing.at({"spec", "requiredBy"}).elements()) {
    if (key_of_entry(one) != independent) required.push_back(one);
  }
  if (required.empty()) {
    binding["spec"].erase("requiredBy");
  } else {
    binding["spec"].set("requiredBy", std::move(required));
  }
  attached.conflict = decide(binding, find);
  return attached;
}

}  // namespace flotilla::controllers
