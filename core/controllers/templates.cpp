// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/templates.hpp"

#include "core/controllers/propagation/event_filter.hpp"

namespace flotilla::controllers {

std::optional<StoredKind> stored_kind(const Context& context, const api::Gvk& gvk) {
  const std::shared_ptr<const api::Registry> registry = context.resources();
  const api::ResourcePtr resource = registry->find_kind({gvk.group, gvk.version, gvk.kind});
  if (!resource) return std::nullopt;
  return StoredKind::of(*resource);
}

std::optional<Template> template_of_binding(const Context& context, const Json& binding) {
  const Json& reference = binding["spec"]["resource"];
  auto kind = stored_kind(context,
                          api::Gvk::from(reference["apiVersion"].as_string(), reference["kind"].as_string()));
  if (!kind) return std::nullopt;
  ObjectPtr object = context.get(
      *kind, {std::string(reference["namespace"].as_string()), std::string(reference["name"].as_string())});
  if (!object) return std::nullopt;
  return Template{*std::move(kind), std::move(object)};
}

bool is_change_of_specification(const Event& event) {
  return event.type != Event::Type::Modified || !event.previous ||
         specification_changed(*event.previous->content(), *event.object->content());
}

Json template_reference(const Json& binding) {
  const Json& resource = binding["spec"]["resource"];
  Json metadata = Json::object({{"name", resource["name"]}, {"uid", resource["uid"]}});
  if (resource.contains("namespace")) metadata.set("namespace", resource["namespace"]);
  return Json::object({{"apiVersion", resource["apiVersion"]},
                       {"kind", resource["kind"]},
                       {"metadata", std::move(metadata)}});
}

}  // namespace flotilla::controllers
