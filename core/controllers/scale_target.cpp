// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/scale_target.hpp"

#include "core/api/scale.hpp"
#include "core/store/metadata_rules.hpp"

namespace flotilla::controllers {

Result<ScaleTarget> find_scale_target(const Context& context, const Json& reference, std::string_view ns) {
  const std::string_view version = reference["apiVersion"].as_string(), kind = reference["kind"].as_string();
  const auto served = context.resources();
  ScaleTarget target;
  target.resource = served->find_kind(api::Gvk::from(version, kind));
  if (!target.resource) {
    return not_found("no matches for kind \"" + std::string(kind) + "\" in version \"" +
                     std::string(version) + "\"");
  }
  target.kind = StoredKind::of(*target.resource);
  const std::string name(reference["name"].as_string());
  target.object = context.get(target.kind, {std::string(ns), name});
  if (!target.object) return store::not_found_error(target.kind, name);
  return target;
}

Task<Status> scale_to(Context& context, ScaleTarget target, std::int64_t replicas) {
  if (!api::has_scale(*target.resource)) {
    co_return not_found("the server could not find the requested resource");
  }
  auto scaling = context.writer.modify(target.kind, Part::Main, target.object->key(),
                                       [resource = target.resource, replicas](Json& object) -> Result<bool> {
                                         const Json before = object;
                                         api::set_scale_replicas(*resource, replicas, object);
                                         return !(before == object);
                                       });
  const auto scaled = co_await std::move(scaling);
  co_return scaled ? Status() : Status(scaled.error());
}

}  // namespace flotilla::controllers
