// SPDX-License-Identifier: Apache-2.0
// What an object must obey beyond its types: metadata of every kind, rules per kind, and for custom resources
// their schema.
#pragma once

#include "core/api/json.hpp"
#include "core/api/schema/registry.hpp"
#include "core/api/validation/field_error.hpp"
#include "core/api/validation/rules.hpp"

namespace flotilla::api {

// `object` has been decoded, defaulted and prepared. `live` is null on create. Through "status" only the
// status is looked at.
FieldErrors validate(const Resource& resource, const Json& object, const Json& live,
                     std::string_view subresource, const RuleLanguage* rules = nullptr);

// metadata alone: names, labels, annotations, finalizers, owners; and what an update may not change.
void validate_metadata(const Resource& resource, const Json& object, NameRule rule, FieldErrors& errors);
// The name alone. Errors: Invalid.
Status check_object_name(const Resource& resource, std::string_view name);
void validate_metadata_update(const Json& object, const Json& live, FieldErrors& errors);
// Finalizers without a domain are Kubernetes' own or none.
void validate_finalizer_domains(const FieldView& finalizers);
void validate_finalizer_domain(const FieldView& finalizer);

// A value against a structural schema, custom resources' way of wording ("spec.x in body must be of type
// ..."). What equals its predecessor in `old` (may be null) is not looked at.
void validate_custom(const Schema& schema, const Json& value, const Json* old, const std::string& path,
                     FieldErrors& errors);
// Sets and maps without doubles; silent where `old` has such already.
void validate_custom_lists(const Schema& schema, const Json& value, const Json* old, FieldErrors& errors);

}  // namespace flotilla::api
