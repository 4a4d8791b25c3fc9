// SPDX-License-Identifier: Apache-2.0
// Version 2 of OpenAPI in gnostic's protobuf (openapi.v2.Document): the part that a Kubernetes server
// publishes. Field numbers are those of OpenAPIv2.proto.
#pragma once

#include <string>
#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::apiserver {

class ProtobufDocument {
 public:
  explicit ProtobufDocument(std::string_view server_version);
  // A path item and a schema as they stand in the JSON document.
  void path(std::string_view name, const api::Json& item);
  void definition(std::string_view name, const api::Json& schema);
  std::string take();

 private:
  std::string head_, paths_, definitions_;
};

}  // namespace flotilla::apiserver
