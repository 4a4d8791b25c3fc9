// SPDX-License-Identifier: Apache-2.0
// OpenAPI documents as text: paths with the operations that clients look up, and every type that they reach.
// They are written piece by piece: no tree of the whole document is ever in memory.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <vector>

#include "core/api/schema/registry.hpp"

namespace flotilla::apiserver {

struct ForeignDocument;  // core/apiserver/aggregation/remote_openapi.hpp

struct DocumentSource {
  const api::Registry& registry;
  std::string_view server_version;  // "v1.32.0"
  // The openAPIV3Schema of a custom resource; null where it has none.
  std::function<api::Json(const api::Resource&)> custom_schema;
  // Of extension API servers, for version 2.
  std::vector<ForeignDocument> foreign;
};

// Version 3, of one group version.
std::string openapi_v3_document(const DocumentSource& source, std::string_view group,
                                std::string_view version);
// Version 2, of everything that is served.
std::string openapi_v2_document(const DocumentSource& source);
// The same in gnostic's protobuf, which kubectl asks for.
std::string openapi_v2_protobuf(const DocumentSource& source);

}  // namespace flotilla::apiserver
