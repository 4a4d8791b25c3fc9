// SPDX-License-Identifier: Apache-2.0
// Which objects of a collection a list, watch or deletecollection speaks of.
#pragma once

#include <string>

#include "core/api/selector.hpp"
#include "core/apiserver/call.hpp"

namespace flotilla::apiserver {

class Selection {
 public:
  // From labelSelector and fieldSelector; `only_name` narrows further (watch of a single object).
  // Errors: BadRequest.
  static Result<Selection> read(const Resource& resource, const Query& query, std::string only_name = {});

  bool everything() const {
    return labels_.selects_everything() && fields_.selects_everything() && only_name_.empty();
  }
  bool has_selector() const { return !labels_.selects_everything() || !fields_.selects_everything(); }
  // `shown`: the object in the version that was asked for, where that is another than the stored one.
  bool matches(const api::Object& object, const Json* shown = nullptr) const;
  // matches() parses objects: a list lets go of what it parsed.
  bool reads_content() const { return reads_content_; }
  // The name that the selection demands, where it demands one.
  std::string_view name() const { return only_name_; }

 private:
  api::LabelSelector labels_;
  api::FieldSelector fields_;
  bool reads_content_ = false;
  std::string only_name_;
};

}  // namespace flotilla::apiserver
