// SPDX-License-Identifier: Apache-2.0
#include "core/planning/subject.hpp"

#include <algorithm>

#include "core/api/names.hpp"
#include "core/planning/reach.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;

Error missing(const StoredKind& kind, const ObjectKey& key) {
  const std::string group = kind.gvk.group.empty() ? "" : "." + kind.gvk.group;
  return not_found(kind.resource + group + " \"" + key.name + "\" not found");
}

Result<Subject> of_binding(const Sources& sources, const c::BindingScope& scope, const ObjectPtr& binding) {
  const auto content = binding->content();
  const Json& resource = (*content)["spec"]["resource"];
  const api::Gvk gvk = api::Gvk::from(resource["apiVersion"].as_string(), resource["kind"].as_string());
  const api::ResourcePtr served = sources.resources()->find_kind(gvk);
  Subject subject;
  subject.kind = served ? StoredKind::of(*served) : StoredKind{gvk, {}};
  subject.key = {std::string(resource["namespace"].as_string()), std::string(resource["name"].as_string())};
  if (served) subject.template_ = sources.get(subject.kind, subject.key);
  subject.scope = &scope;
  subject.binding = binding;
  return subject;
}

Result<Subject> find(const Sources& sources, const StoredKind& kind, const ObjectKey& key) {
  const ObjectPtr object = sources.get(kind, key);
  if (!object) return missing(kind, key);
  const Collection collection = kind.collection();
  if (collection == k::kResourceBinding.collection()) return of_binding(sources, c::kNamespacedScope, object);
  if (collection == k::kClusterResourceBinding.collection())
    return of_binding(sources, c::kClusterScope, object);
  if (collection == k::kWork.collection()) {
    const auto reference = c::binding_of_work(*object->content());
    const ObjectPtr binding = reference ? sources.get(reference->scope->kind, reference->key) : nullptr;
    if (!binding) return not_found("work \"" + key.name + "\" belongs to no binding");
    return of_binding(sources, *reference->scope, binding);
  }
  Subject subject;
  subject.kind = kind;
  subject.key = key;
  subject.template_ = object;
  subject.scope = &c::scope_of_template(key.ns);
  subject.binding = sources.get(subject.scope->kind, binding_key(*object->content()));
  return subject;
}

}  // namespace

Result<Subject> subject_of(const Sources& sources, const StoredKind& kind, const ObjectKey& key) {
  auto subject = find(sources, kind, key);
  if (!subject || !subject->binding) return subject;
  const std::string* id = subject->binding->labels().find(subject->scope->id_label);
  if (id == nullptr) return subject;
  for (const ObjectKey& work : sources.controllers.works().of(*subject->scope, *id)) {
    if (ObjectPtr object = sources.get(k::kWork, work)) subject->works.push_back(std::move(object));
  }
  std::sort(subject->works.begin(), subject->works.end(),
            [](const ObjectPtr& a, const ObjectPtr& b) { return a->key() < b->key(); });
  return subject;
}

ObjectPtr work_in(const Subject& subject, std::string_view cluster) {
  const std::string ns = api::execution_namespace(cluster);
  const auto it = std::find_if(subject.works.begin(), subject.works.end(),
                               [&](const ObjectPtr& work) { return work->ns() == ns; });
  return it == subject.works.end() ? nullptr : *it;
}

std::string Subject::typed() const {
  std::string text = kind.resource.empty() ? api::to_lower(kind.gvk.kind) : kind.resource;
  if (!kind.gvk.group.empty()) text += "." + kind.gvk.group;
  text += "/" + key.name;
  if (!key.ns.empty()) text += " -n " + key.ns;
  return text;
}

Json reference_to(const api::Object& object) {
  const auto content = object.content();
  Json out = Json::object({{"apiVersion", (*content)["apiVersion"]}, {"kind", (*content)["kind"]}});
  if (!object.ns().empty()) out.set("namespace", object.ns());
  out.set("name", object.name());
  return out;
}

}  // namespace flotilla::planning
