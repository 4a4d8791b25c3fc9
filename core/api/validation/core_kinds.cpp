// SPDX-License-Identifier: Apache-2.0
// ConfigMap, Secret.
#include "core/api/patch/patch.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/base/base64.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::int64_t kMaxDataBytes = 1048576;
constexpr std::string_view kRedacted = "<secret contents redacted>";

std::int64_t validate_keys(const FieldView& map) {
  std::int64_t total = 0;
  for (const auto& [key, value] : map.value().members()) {
    for (const std::string& one : check_config_key(key))
      map.errors().invalid(at_key(map.path(), key), key, one);
    total += static_cast<std::int64_t>(value.as_string().size());
  }
  return total;
}

void immutable_data(const Subject& subject, std::initializer_list<std::string_view> fields) {
  if (subject.creates() || !subject.live["immutable"].as_bool()) return;
  const FieldView flag = subject.object["immutable"];
  if (!flag.value().as_bool()) flag.forbid("field is immutable when `immutable` is set");
  for (const std::string_view name : fields) {
    const FieldView field = subject.object[name];
    if (!(field.value() == subject.live[name])) field.forbid("field is immutable when `immutable` is set");
  }
}

void validate_json_key(const FieldView& data, std::string_view key) {
  const std::string path = at_key(data.path(), key);
  if (!data.value().contains(key)) return data.errors().required(path);
  const std::string text = base64_decode(data.value()[key].as_string()).value_or("");
  if (!Json::parse(text)) data.errors().invalid(path, kRedacted, go_json_error(text));
}

void need_key(const FieldView& data, std::string_view key) {
  if (!data.value().contains(key)) data.errors().required(at_key(data.path(), key));
}

// Kubernetes' path for these has a placeholder that nothing fills.
void odd_key(const FieldView& data, std::string_view key) {
  if (data.value()[key].as_string().empty()) data.errors().required(at_key(data.path() + "[%s]", key));
}

}  // namespace

void config_map(const Subject& subject) {
  const FieldView data = subject.object["data"], binary = subject.object["binaryData"];
  for (const auto& [key, value] : data.value().members()) {
    if (binary.value().contains(key))
      data.errors().invalid(at_key(data.path(), key), key, "duplicate of key present in binaryData");
  }
  const std::int64_t total = validate_keys(data) + validate_keys(binary) / 4 * 3;
  if (total > kMaxDataBytes) data.errors().too_long("", kMaxDataBytes);
  immutable_data(subject, {"data", "binaryData"});
}

void secret(const Subject& subject) {
  const FieldView data = subject.object["data"];
  if (validate_keys(data) / 4 * 3 > kMaxDataBytes) data.errors().too_long(data.path(), kMaxDataBytes);
  const std::string_view type = subject.object["type"].text();
  if (type == "kubernetes.io/service-account-token") {
    constexpr std::string_view kName = "kubernetes.io/service-account.name";
    if (subject.object["metadata"]["annotations"].value()[kName].as_string().empty()) {
      data.errors().required(at_key("metadata.annotations", kName));
    }
  } else if (type == "kubernetes.io/dockercfg") {
    validate_json_key(data, ".dockercfg");
  } else if (type == "kubernetes.io/dockerconfigjson") {
    validate_json_key(data, ".dockerconfigjson");
  } else if (type == "kubernetes.io/tls") {
    need_key(data, "tls.crt");
    need_key(data, "tls.key");
  } else if (type == "kubernetes.io/ssh-auth") {
    odd_key(data, "ssh-privatekey");
  } else if (type == "kubernetes.io/basic-auth" && !data.value().contains("username") &&
             !data.value().contains("password")) {
    odd_key(data, "username");
    odd_key(data, "password");
  }
  if (!subject.creates()) subject.object["type"].immutable(subject.live["type"]);
  immutable_data(subject, {"data"});
}

}  // namespace flotilla::api::validation
