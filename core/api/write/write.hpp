// SPDX-License-Identifier: Apache-2.0
// The way of a write between the request's body and the store, as pure functions (k8s-api 4, 5, 9.4):
//
//   draft_*    body or patch -> object: decoded, defaulted, ownership of fields recorded
//   (mutating admission, the caller's)
//   finish     metadata, status and generation put right, validated, compared with what is stored
//
// Documents carry metadata.resourceVersion; `live` is the null value where there is no object. Nothing is
// looked up and no clock is read: what is random or stored comes with the options.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/schema/registry.hpp"
#include "core/api/validation/rules.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

enum class FieldValidation : std::uint8_t { Ignore, Warn, Strict };
enum class PatchType : std::uint8_t { Json, Merge, Strategic };

struct WriteOptions {
  std::string ns, name;     // of the URL; the name is empty on create
  std::string subresource;  // "", "status", "finalize", "approval", "ephemeralcontainers"
  std::string manager;      // field_manager() of managed_fields.hpp
  FieldValidation validation = FieldValidation::Warn;
  bool force = false;  // apply
  WallTime now{};
  // Objects that are made.
  std::string uid;          // a fresh random UUID
  std::string name_suffix;  // five random characters for generateName
  // Who asks: username, uid, groups, extra; CertificateSigningRequests record it.
  Json requester;
  // Services: gives an address of the service network; a node port. Empty: the fields stay unset.
  std::function<std::string()> allocate_ip;
  std::function<int()> allocate_port;
  // Why an address that the client chose cannot be had; empty when it can. Whether a node port is taken.
  // Who knows the rules of definitions; null: they are not looked at.
  const RuleLanguage* rules = nullptr;
  std::function<std::string(const std::string& address)> claim_ip;
  std::function<bool(int port)> port_taken;
};

struct Draft {
  Json object;
  std::vector<std::string> warnings;  // texts for Warning headers
  bool creates = false;
};

struct Written {
  Json object;
  bool unchanged = false;             // equal to what is stored: nothing to write, the same resourceVersion
  std::vector<std::string> warnings;  // beside the draft's
};

// Errors: BadRequest for what cannot be decoded or does not fit the URL.
Result<Draft> draft_create(const Resource& resource, Json body, const DuplicateKeys& duplicates,
                           const WriteOptions& options);
// PUT. Errors: as above; Conflict for a stale resourceVersion or another uid; Invalid where one is needed.
Result<Draft> draft_update(const Resource& resource, const Json& live, Json body,
                           const DuplicateKeys& duplicates, const WriteOptions& options);
// `live` exists. Errors: those of patch.hpp; Invalid where the result does not decode.
Result<Draft> draft_patch(const Resource& resource, const Json& live, PatchType type, std::string_view patch,
                          const WriteOptions& options);
// Server-side apply; makes the object where live is null.
Result<Draft> draft_apply(const Resource& resource, const Json& live, const Json& config,
                          const WriteOptions& options);

// Errors: Invalid with causes.
Result<Written> finish(const Resource& resource, const Json& live, Draft draft, const WriteOptions& options);

// What an object reads as after decoding from the store: custom resources get new defaults and are pruned.
void refresh(const Resource& resource, Json& object);

}  // namespace flotilla::api
