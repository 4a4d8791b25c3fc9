// SPDX-License-Identifier: Apache-2.0
// One write on its way through admission: what is done, to what, by whom. Coroutines share it; mutators
// change `object`.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/apiserver/catalog.hpp"
#include "core/apiserver/security/user.hpp"

namespace flotilla::apiserver {

using api::Json;
using api::Resource;
using api::ResourcePtr;

enum class Verb : std::uint8_t { Create, Update, Delete, Connect };
// CREATE, UPDATE, DELETE, CONNECT.
std::string_view verb_text(Verb verb);

struct AdmissionAttributes {
  Verb verb = Verb::Create;
  ResourcePtr resource;  // in the version of the request
  api::Gvk kind;         // of the object; a subresource may have its own (Scale, Eviction)
  std::string subresource;
  std::string ns;    // of a Namespace: its own name
  std::string name;  // empty while a name is to be generated
  UserInfo user;
  Json object;      // null for DELETE
  Json old_object;  // null for CREATE and CONNECT
  Json options;     // CreateOptions and so on
  bool dry_run = false;
  std::shared_ptr<const Served> served;

  // What is to be said beside the answer, and in the audit log.
  std::vector<std::string> warnings;
  std::map<std::string, std::string> annotations;

  bool is_namespace() const { return resource->group.empty() && resource->resource == "namespaces"; }
};
using AttributesPtr = std::shared_ptr<AdmissionAttributes>;

// {"username", "uid", "groups", "extra"} without what is empty.
Json user_info(const UserInfo& user);
// 500: "Internal error occurred: why", with the cause.
Error internal_error(const std::string& why);

}  // namespace flotilla::apiserver
