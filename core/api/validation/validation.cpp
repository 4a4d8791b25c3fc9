// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/validation.hpp"

#include "core/api/validation/kinds.hpp"

namespace flotilla::api {
namespace {

struct Entry {
  std::string_view group, kind;
  validation::KindRule rule;
};

constexpr Entry kRules[] = {
    {"", "ConfigMap", nullptr},
};

}  // namespace

FieldErrors validate(const Resource& resource, const Json& object, const Json& live,
                     std::string_view subresource) {
  FieldErrors errors;
  validate_metadata(resource, object, errors);
  if (!live.is_null()) validate_metadata_update(object, live, errors);
  const validation::Subject subject{resource, FieldView(object, "", errors), live, subresource};
  for (const Entry& entry : kRules) {
    if (entry.rule && entry.group == resource.group && entry.kind == resource.kind) entry.rule(subject);
  }
  return errors;
}

}  // namespace flotilla::api
