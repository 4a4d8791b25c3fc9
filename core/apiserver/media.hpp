// SPDX-License-Identifier: Apache-2.0
// Content negotiation (k8s-api 7.1, 12.1): in which form a client wants its answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace flotilla::apiserver {

// One clause of an Accept header, or a Content-Type.
struct MediaClause {
  std::string type;  // "application/json", lower case
  std::vector<std::pair<std::string, std::string>> parameters;
  double quality = 1;
  std::string_view parameter(std::string_view name) const;
};

// By quality, then position.
std::vector<MediaClause> parse_accept(std::string_view header);
// Without its parameters, lower case.
std::string media_type_of(std::string_view content_type);

enum class Encoding { Json, Yaml };
enum class Shape { Object, Table, PartialObject, PartialObjectList };

struct Media {
  Encoding encoding = Encoding::Json;
  Shape shape = Shape::Object;
  std::string table_version = "v1";  // meta.k8s.io/v1 or v1beta1
  bool pretty = false;
  std::string_view content_type() const {
    return encoding == Encoding::Json ? "application/json" : "application/yaml";
  }
};

struct MediaOffer {
  bool yaml = true;
  bool protobuf = true;    // only named in errors: answers are JSON
  bool transforms = true;  // Table and PartialObjectMetadata
};

// Errors: NotAcceptable, in the two wordings that a real server has.
Result<Media> negotiate(std::string_view accept, const MediaOffer& offer);

}  // namespace flotilla::apiserver
