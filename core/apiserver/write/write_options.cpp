// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/write/write_options.hpp"

#include <openssl/rand.h>

#include <array>

#include "core/api/patch/managed_fields.hpp"
#include "core/api/patch/patch.hpp"
#include "core/api/protobuf/protobuf.hpp"
#include "core/apiserver/custom/custom_rules.hpp"
#include "core/apiserver/network.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kTypedBodies =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf";
constexpr std::string_view kCustomBodies = "application/json, application/yaml";
constexpr std::size_t kMaxManager = 128;

void check_manager(std::string_view manager, std::vector<Cause>& causes) {
  if (manager.size() > kMaxManager) {
    causes.push_back({"FieldValueTooLong", "Too long: must have at most 128 bytes", "fieldManager"});
    return;
  }
  for (std::size_t i = 0; i < manager.size(); ++i) {
    const auto c = static_cast<unsigned char>(manager[i]);
    if (c >= 0x20 && c != 0x7f) continue;
    char code[16];
    std::snprintf(code, sizeof code, "U+%04X", c);
    causes.push_back({"FieldValueInvalid",
                      "Invalid value: " + quoted(manager) + ": invalid character " + code + " (at position " +
                          std::to_string(i) + ")",
                      "fieldManager"});
    return;
  }
}

void check_dry_run(const std::vector<std::string_view>& values, std::vector<Cause>& causes) {
  bool good = true;
  std::string shown = "[]string{";
  for (std::size_t i = 0; i < values.size(); ++i) {
    good = good && values[i] == "All";
    shown += (i == 0 ? "" : ", ") + quoted(values[i]);
  }
  if (good) return;
  causes.push_back(
      {"FieldValueNotSupported", "Unsupported value: " + shown + "}: supported values: \"All\"", "dryRun"});
}

// The beginning of a body: as it is where it looks like JSON, else in hexadecimal.
std::string shown_start(std::string_view body) {
  std::string shown;
  if (body.empty()) {
    shown = "<empty>";
  } else if (body.front() == '{') {
    shown = body.substr(0, 30);
  } else {
    static constexpr char kHex[] = "0123456789abcdef";
    for (const char c : body.substr(0, 30)) {
      shown += kHex[static_cast<unsigned char>(c) >> 4];
      shown += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  if (body.size() > 30) shown += " ...";
  return shown;
}

std::string unrecognized(const Call& call, const std::string& why, std::string_view body) {
  return "the object provided is unrecognized (must be of type " +
         (call.resource ? call.resource->kind : std::string()) + "): " + why + " (" + shown_start(body) + ")";
}

std::string unreadable(const Call& call, std::string_view body) {
  std::string problem = api::go_json_error(body);
  if (body.starts_with('[')) {
    problem =
        "json: cannot unmarshal array into Go value of type struct { APIVersion string "
        "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
  }
  return unrecognized(call, "couldn't get version/kind; json parse error: " + problem, body);
}

}  // namespace

std::string new_uid() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kHex[bytes[i] >> 4];
    out += kHex[bytes[i] & 15];
  }
  return out;
}

std::string random_suffix() {
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::array<unsigned char, 5> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  std::string out;
  for (const unsigned char byte : bytes) out += kLetters[byte % kLetters.size()];
  return out;
}

Result<RequestOptions> read_write_options(Server& server, const Call& call, std::string_view options_kind,
                                          bool is_apply) {
  RequestOptions options;
  std::vector<Cause> causes;
  const std::string_view manager = call.query.get("fieldManager");
  const std::string_view validation = call.query.get("fieldValidation");
  if (options_kind == "PatchOptions") {
    if (!is_apply && call.query.has("force")) {
      causes.push_back(
          {"FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force"});
    }
    if (is_apply && manager.empty()) {
      causes.push_back({"FieldValueRequired", "Required value: is required for apply patch", "fieldManager"});
    }
  }
  check_manager(manager, causes);
  const auto dry_runs = call.query.all("dryRun");
  check_dry_run(dry_runs, causes);
  if (validation == "Strict") {
    options.write.validation = api::FieldValidation::Strict;
  } else if (validation == "Ignore") {
    options.write.validation = api::FieldValidation::Ignore;
  } else if (!validation.empty() && validation != "Warn") {
    causes.push_back({"FieldValueNotSupported",
                      "Unsupported value: " + quoted(validation) +
                          ": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"",
                      "fieldValidation"});
  }
  if (!causes.empty()) return options_invalid(options_kind, std::move(causes));
  options.dry_run = !dry_runs.empty();
  options.write.ns = call.resource->namespaced ? call.info.ns : std::string();
  options.write.name = call.info.name;
  options.write.subresource = call.info.subresource;
  options.write.manager = api::field_manager(manager, call.request.headers.get("User-Agent"));
  options.write.force = call.query.flag("force");
  options.write.now = server.now();
  options.write.uid = new_uid();
  options.write.name_suffix = random_suffix();
  options.write.rules = &custom_rules();
  if (call.resource->group.empty() && call.resource->resource == "services") {
    options.write.allocate_ip = [&server] { return allocate_service_address(server); };
    options.write.allocate_port = [&server] { return allocate_node_port(server); };
    options.write.claim_ip = [&server](const std::string& address) {
      return refuse_address(server, address);
    };
    options.write.port_taken = [&server](int port) { return node_port_taken(server, port); };
  }
  return options;
}

Result<Body> read_body(const Server& server, const Call& call) {
  const std::string type = media_type_of(call.request.headers.get("Content-Type"));
  const bool custom = call.resource && call.resource->origin == api::Origin::Custom;
  const std::string_view accepted = custom ? kCustomBodies : kTypedBodies;
  Body body;
  const auto parse = [&]() -> Result<Body> {
    auto json = Json::parse(call.request.body, {}, &body.duplicates);
    if (json && json->is_null()) json = Json::object();
    if (json && json->is_object()) {
      body.json = *std::move(json);
      return std::move(body);
    }
    if (!json && json.error().is(Code::TooLarge)) return std::move(json).error();
    return Error(Code::BadRequest, unreadable(call, call.request.body));
  };
  if (type == "application/vnd.kubernetes.protobuf" && !custom) {
    auto decoded = api::decode_protobuf(call.request.body);
    if (!decoded) return std::move(decoded).error();
    body.json = *std::move(decoded);
    return body;
  }
  if (type.empty() || type == "application/json" || type == "*/*") return parse();
  if (type != "application/yaml") return unsupported_media(accepted);
  if (!server.options.parse_yaml) return parse();
  auto yaml = server.options.parse_yaml(call.request.body);
  if (!yaml) {
    return Error(Code::BadRequest,
                 unrecognized(call, "yaml: " + std::string(yaml.error().message()), call.request.body));
  }
  if (!yaml->is_object()) return Error(Code::BadRequest, unreadable(call, call.request.body));
  body.json = *std::move(yaml);
  return body;
}

Result<PatchKind> patch_kind(const Call& call) {
  const std::string type = media_type_of(call.request.headers.get("Content-Type"));
  if (type == "application/json-patch+json") return PatchKind::Json;
  if (type == "application/merge-patch+json") return PatchKind::Merge;
  if (type == "application/apply-patch+yaml") return PatchKind::Apply;
  const bool typed = call.resource->origin == api::Origin::Kubernetes;
  if (type == "application/strategic-merge-patch+json") {
    if (typed) return PatchKind::Strategic;
    return unsupported_media(
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
  }
  if (!typed) {
    return unsupported_media(
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
  }
  return Error(Code::UnsupportedMedia, "415: Unsupported Media Type", ErrorDetails{});
}

}  // namespace flotilla::apiserver
