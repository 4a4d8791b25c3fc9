// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "core/api/defaulting/defaulting.hpp"
#include "core/api/object.hpp"
#include "core/api/patch/managed_fields.hpp"
#include "core/api/patch/patch.hpp"
#include "core/api/schema/decode.hpp"
#include "core/api/validation/field_error.hpp"
#include "core/api/write/strategy.hpp"
#include "core/api/write/write.hpp"
#include "core/base/base64.hpp"

namespace flotilla::api {
namespace {

const Json& read(const Json& object) {
  return object;
}

Error not_registered(const Gvk& gvk) {
  return bad_request("no kind " + go_quote(gvk.kind) + " is registered for version " +
                     go_quote(gvk.api_version()) + " in scheme \"pkg/api/legacyscheme/scheme.go:30\"");
}

// "ConfigMap in version "v1" cannot be handled as a ConfigMap: why".
Error cannot_handle(const Resource& resource, const Gvk& sent, const std::string& why) {
  return bad_request(sent.kind + " in version " + go_quote(sent.version) + " cannot be handled as a " +
                     resource.kind + ": " + why);
}

// Go's package of the version that no client sees: core, apps, rbac.
std::string internal_package(const Resource& resource) {
  return resource.group.empty() ? "core" : resource.group.substr(0, resource.group.find('.'));
}

// Fills what the URL implies; false where the body is of another kind.
Status check_kind(const Resource& resource, Json& body) {
  if (!body.is_object()) return bad_request("couldn't get version/kind; json parse error: not an object");
  if (read(body)["kind"].as_string().empty()) body.set("kind", resource.kind);
  if (read(body)["apiVersion"].as_string().empty()) body.set("apiVersion", resource.group_version());
  const Gvk sent = Gvk::of(body);
  if (sent.kind == resource.kind && sent.group == resource.group && sent.version == resource.version)
    return {};
  if (sent.kind == resource.kind && sent.group == resource.group && Registry::builtin().find_kind(sent)) {
    return bad_request("the API version in the data (" + sent.api_version() +
                       ") does not match the expected API version (" + resource.group_version() + ")");
  }
  const bool plain_list = sent.kind == "List" && sent.group.empty() && sent.version == "v1";
  if (plain_list || Registry::builtin().type_of(sent)) {
    const std::string from = sent.version + "." + sent.kind,
                      to = internal_package(resource) + "." + resource.kind;
    return cannot_handle(resource, sent, "converting (" + from + ") to (" + to + "): unknown conversion");
  }
  return cannot_handle(resource, sent, not_registered(sent).message());
}

// Secret.stringData is for writing alone.
void merge_string_data(const Resource& resource, Json& object) {
  if (resource.kind != "Secret" || !resource.group.empty()) return;
  const Json* texts = object.find("stringData");
  if (!texts) return;
  const Json copy = *texts;
  object.erase("stringData");
  for (const auto& [key, value] : copy.members()) object["data"].set(key, base64_encode(value.as_string()));
}

struct Checked {
  Json object;
  std::vector<std::string> warnings;
};

// Decodes and defaults. The error is the bare text, without what stands around it.
Result<Checked> decode_and_default(const Resource& resource, Json body, const DuplicateKeys* duplicates,
                                   std::vector<std::string> problems, const WriteOptions& options) {
  auto decoded = decode(*resource.schema, std::move(body), {resource.traits.typed, duplicates});
  if (!decoded) return std::move(decoded).error();
  problems.insert(problems.end(), decoded->problems.begin(), decoded->problems.end());
  if (options.validation == FieldValidation::Strict && !problems.empty())
    return bad_request(strict_decoding_error(problems));
  if (options.validation == FieldValidation::Ignore) problems.clear();
  Checked out{std::move(decoded->object), std::move(problems)};
  set_defaults(resource, out.object);
  merge_string_data(resource, out.object);
  return out;
}

Status check_namespace(const Resource& resource, Json& object, const WriteOptions& options) {
  Json& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  if (!resource.namespaced) {
    if (!read(metadata)["namespace"].as_string().empty()) metadata.erase("namespace");
    return {};
  }
  const std::string_view sent = read(metadata)["namespace"].as_string();
  if (sent.empty()) {
    metadata.set("namespace", options.ns);
  } else if (sent != options.ns) {
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request");
  }
  return {};
}

Status check_name(const Json& object, const WriteOptions& options) {
  const std::string_view sent = name_of(object);
  if (sent.empty()) {
    return bad_request("the name of the object (" + options.name +
                       " based on URL) was undeterminable: name must be provided");
  }
  if (sent != options.name) {
    return bad_request("the name of the object (" + std::string(sent) +
                       ") does not match the name on the URL (" + options.name + ")");
  }
  return {};
}

Error conflict(const Resource& resource, std::string_view name, const std::string& why) {
  ErrorDetails details;
  details.name = name;
  details.group = resource.group;
  details.kind = resource.resource;
  return Error(
      Code::Conflict,
      "Operation cannot be fulfilled on " + resource.group_resource() + " " + go_quote(name) + ": " + why,
      std::move(details));
}

// Optimistic concurrency: uid and resourceVersion of what is written, against what is stored.
Status check_versions(const Resource& resource, const Json& live, Json& object, bool put) {
  const std::string sent_uid(uid_of(object));
  if (put && !sent_uid.empty() && sent_uid != uid_of(live)) {
    const std::string place = resource.namespaced ? std::string(namespace_of(live)) + "/" : std::string();
    const std::string group = resource.group.empty() ? std::string() : resource.group + "/";
    return conflict(
        resource, name_of(live),
        "StorageError: invalid object, Code: 4, Key: /registry/" + group + resource.resource + "/" + place +
            std::string(name_of(live)) +
            ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " +
            sent_uid + ", UID in object meta: " + std::string(uid_of(live)));
  }
  const std::string version(read(object).at({"metadata", "resourceVersion"}).as_string());
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(version.data(), version.data() + version.size(), number);
  if (!version.empty() && (parsed.ec != std::errc() || parsed.ptr != version.data() + version.size())) {
    return unknown_error("strconv.ParseUint: parsing " + go_quote(version) + ": invalid syntax");
  }
  if (number == 0) {
    if (put && !resource.traits.unconditional_update) {
      FieldErrors errors;
      errors.add_literal("FieldValueInvalid", "metadata.resourceVersion",
                         "Invalid value: 0x0: must be specified for an update");
      return errors.to_error(resource.group, resource.resource, name_of(live));
    }
  } else if (version != live.at({"metadata", "resourceVersion"}).as_string()) {
    return conflict(
        resource, name_of(live),
        "the object has been modified; please apply your changes to the latest version and try again");
  }
  object["metadata"].set("resourceVersion", live.at({"metadata", "resourceVersion"}));
  return {};
}

FieldWriter writer_of(const Resource& resource, const WriteOptions& options) {
  FieldWriter writer;
  writer.manager = options.manager;
  writer.api_version = resource.group_version();
  writer.subresource = options.subresource;
  writer.now = options.now;
  writer.typed = resource.traits.typed;
  writer.ignored = ignored_fields(resource, options.subresource);
  return writer;
}

void wipe_for_create(Json& object) {
  Json& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  for (const char* name : {"uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"})
    metadata.erase(name);
  if (metadata.contains("creationTimestamp")) metadata.set("creationTimestamp", nullptr);
}

void generate_name(Json& object, const WriteOptions& options) {
  constexpr std::size_t kMaxBase = 58;
  const std::string base(read(object).at({"metadata", "generateName"}).as_string());
  if (base.empty() || !name_of(object).empty()) return;
  object["metadata"].set("name", base.substr(0, kMaxBase) + options.name_suffix);
}

// A patched document that does not decode: an Invalid error about nothing in particular.
Error undecodable(const Json& patched, const std::string& why) {
  FieldErrors errors;
  errors.invalid("patch", patched.dump(), why);
  return errors.to_error("", "", "");
}

}  // namespace

Result<Draft> draft_create(const Resource& resource, Json body, const DuplicateKeys& duplicates,
                           const WriteOptions& options) {
  if (Status fits = check_kind(resource, body); !fits) return std::move(fits).error();
  const Gvk sent = Gvk::of(body);
  auto checked = decode_and_default(resource, std::move(body), &duplicates, {}, options);
  if (!checked) return cannot_handle(resource, sent, checked.error().message());
  Json object = std::move(checked->object);
  if (Status fits = check_namespace(resource, object, options); !fits) return std::move(fits).error();
  const std::string_view version = read(object).at({"metadata", "resourceVersion"}).as_string();
  if (!version.empty() && version != "0")
    return unknown_error("resourceVersion should not be set on objects to be created");
  wipe_for_create(object);
  generate_name(object, options);
  object = record_update(*resource.schema, Json(), std::move(object), writer_of(resource, options));
  return Draft{std::move(object), std::move(checked->warnings), true};
}

Result<Draft> draft_update(const Resource& resource, const Json& live, Json body,
                           const DuplicateKeys& duplicates, const WriteOptions& options) {
  if (Status fits = check_kind(resource, body); !fits) return std::move(fits).error();
  const Gvk sent = Gvk::of(body);
  auto checked = decode_and_default(resource, std::move(body), &duplicates, {}, options);
  if (!checked) return cannot_handle(resource, sent, checked.error().message());
  Json object = std::move(checked->object);
  if (Status fits = check_name(object, options); !fits) return std::move(fits).error();
  if (Status fits = check_namespace(resource, object, options); !fits) return std::move(fits).error();
  if (Status fits = check_versions(resource, live, object, true); !fits) return std::move(fits).error();
  object = record_update(*resource.schema, live, std::move(object), writer_of(resource, options));
  return Draft{std::move(object), std::move(checked->warnings), false};
}

namespace {

Result<Patched> run_patch(const Resource& resource, const Json& live, PatchType type,
                          std::string_view patch) {
  switch (type) {
    case PatchType::Json:
      return json_patch(live, patch);
    case PatchType::Merge:
      return merge_patch(live, patch);
    case PatchType::Strategic:
      return strategic_merge_patch(live, patch, *resource.schema);
  }
  return internal("no such patch type");
}

// What patches share from the patched document on.
Result<Draft> check_patched(const Resource& resource, const Json& live, Json object,
                            std::vector<std::string> warnings, const WriteOptions& options) {
  if (Status fits = check_name(object, options); !fits) return std::move(fits).error();
  if (Status fits = check_namespace(resource, object, options); !fits) return std::move(fits).error();
  if (!live.is_null()) {
    if (Status fits = check_versions(resource, live, object, false); !fits) return std::move(fits).error();
  }
  return Draft{std::move(object), std::move(warnings), live.is_null()};
}

}  // namespace

Result<Draft> draft_patch(const Resource& resource, const Json& live, PatchType type, std::string_view patch,
                          const WriteOptions& options) {
  auto patched = run_patch(resource, live, type, patch);
  if (!patched) return std::move(patched).error();
  Json document = patched->object;
  const Gvk gvk = Gvk::of(document);
  const bool emptied = !document.is_object() || document.empty();
  if (!emptied && document.contains("kind") &&
      (gvk.kind != resource.kind || gvk.api_version() != resource.group_version())) {
    return undecodable(document, not_registered(gvk).message());
  }
  auto checked = decode_and_default(resource, std::move(patched->object), nullptr,
                                    std::move(patched->problems), options);
  if (!checked) return undecodable(document, checked.error().message());
  Json object = std::move(checked->object);
  object.set("apiVersion", resource.group_version());
  object.set("kind", resource.kind);
  auto draft = check_patched(resource, live, std::move(object), std::move(checked->warnings), options);
  if (!draft) return draft;
  draft->object =
      record_update(*resource.schema, live, std::move(draft->object), writer_of(resource, options));
  return draft;
}

Result<Draft> draft_apply(const Resource& resource, const Json& live, const Json& config,
                          const WriteOptions& options) {
  const Gvk sent = Gvk::of(config);
  if (sent.kind != resource.kind || sent.group != resource.group) {
    return unknown_error("invalid object type: " + sent.group + "/" + sent.version + ", Kind=" + sent.kind);
  }
  if (sent.version != resource.version) {
    return bad_request("Incorrect version specified in apply patch. Specified patch version: " +
                       sent.api_version() + ", expected: " + resource.group_version());
  }
  if (live.is_null() && !uid_of(config).empty()) {
    return conflict(resource, options.name,
                    "uid mismatch: the provided object specified uid " + std::string(uid_of(config)) +
                        ", and no existing object was found");
  }
  auto applied = apply(*resource.schema, live, config, writer_of(resource, options), options.force);
  if (!applied) return std::move(applied).error();
  auto checked = decode_and_default(resource, std::move(applied->object), nullptr, {}, options);
  if (!checked) return undecodable(config, checked.error().message());
  Json object = std::move(checked->object);
  // The body's own resourceVersion is a precondition; merging has put it over the live one.
  return check_patched(resource, live, std::move(object), std::move(checked->warnings), options);
}

}  // namespace flotilla::api
