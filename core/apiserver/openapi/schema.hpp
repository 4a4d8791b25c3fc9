// SPDX-License-Identifier: Apache-2.0
// Types as OpenAPI writes them, version 2 and 3.
#pragma once

#include <deque>
#include <set>
#include <string>

#include "core/api/schema/registry.hpp"

namespace flotilla::apiserver {

enum class OpenApi { V2, V3 };

// Turns schemas into JSON and remembers the named types on the way, to be written once each.
class SchemaWriter {
 public:
  explicit SchemaWriter(OpenApi version) : version_(version) {}

  // {"$ref": ...} for named types, else the schema itself.
  api::Json reference(const api::Schema& schema);
  api::Json inline_schema(const api::Schema& schema);
  api::Json reference_to(std::string_view component) const;

  // The next named type that was referred to and not written yet; null when there is none.
  const api::Schema* next();
  // Written by somebody else.
  void written(std::string_view component) { done_.emplace(component); }

  // Types without a schema of ours: quantities, times, numbers or strings.
  template <typename Write>
  void each_scalar(const Write& write) {
    for (const std::string_view name : scalars_) write(std::string(name), scalar_component(name));
  }

 private:
  api::Json typed(const api::Schema& schema);
  api::Json list_schema(const api::Schema& schema);
  api::Json struct_schema(const api::Schema& schema);
  api::Json scalar(std::string_view component);
  api::Json scalar_component(std::string_view component) const;

  OpenApi version_;
  std::deque<const api::Schema*> wanted_;
  std::set<std::string, std::less<>> done_;
  std::set<std::string_view> scalars_;
};

// A definition's openAPIV3Schema as it is published: apiVersion, kind and metadata declared, in version 2
// without what version 2 cannot say.
api::Json published_schema(const api::Json& open_api_v3_schema, OpenApi version, SchemaWriter& writer);

}  // namespace flotilla::apiserver
