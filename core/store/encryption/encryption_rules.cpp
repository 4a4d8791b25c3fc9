// SPDX-License-Identifier: Apache-2.0
#include "core/store/encryption/encryption_rules.hpp"

#include <algorithm>

#include "core/api/schema/registry.hpp"
#include "core/base/base64.hpp"

namespace flotilla::store {
namespace {

using api::Json;

constexpr std::string_view kRoot = "/registry/";

Error fault(const std::string& field, const std::string& what) {
  return Error(Code::Invalid, field + ": " + what);
}

// The places of "secrets", "deployments.apps", "*.apps", "*." (the core group), "*.*".
std::vector<std::string> prefixes_of(std::string_view resource) {
  const std::string root(kRoot);
  if (resource == "*.*") return {""};
  const auto dot = resource.find('.');
  const std::string name(resource.substr(0, dot));
  const std::string group(dot == std::string_view::npos ? std::string_view() : resource.substr(dot + 1));
  // What daemons share of their authorities is as secret as any Secret.
  if (resource == "secrets") return {root + "secrets/", "/side/pki/"};
  if (name != "*") return {root + (group.empty() ? "" : group + "/") + name + "/"};
  if (!group.empty()) return {root + group + "/"};
  std::vector<std::string> core;
  for (const api::ResourcePtr& one : api::Registry::builtin().resources()) {
    if (one->group.empty()) core.push_back(root + one->resource + "/");
  }
  return core;
}

Status read_keys(const Json& provider, CipherKind kind, const std::string& field,
                 std::vector<CipherKey>& keys) {
  const auto list = provider["keys"].elements();
  if (list.empty()) return fault(field + ".keys", "at least one key is required");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = field + ".keys[" + std::to_string(i) + "]";
    CipherKey key;
    key.kind = kind;
    key.name = list[i]["name"].as_string();
    if (key.name.empty()) return fault(at + ".name", "is required");
    if (key.name.find(':') != std::string::npos) return fault(at + ".name", "may not contain a colon");
    auto secret = base64_decode(list[i]["secret"].as_string());
    if (!secret || secret->empty()) return fault(at + ".secret", "must be base64");
    if (secret->size() != 16 && secret->size() != 24 && secret->size() != 32) {
      return fault(at + ".secret", "must have 16, 24 or 32 bytes, not " + std::to_string(secret->size()));
    }
    key.secret = *std::move(secret);
    keys.push_back(std::move(key));
  }
  return {};
}

}  // namespace

Result<EncryptionRules> EncryptionRules::read(const Json& configuration) {
  if (configuration["kind"].as_string() != "EncryptionConfiguration")
    return fault("kind", "must be EncryptionConfiguration");
  if (configuration["apiVersion"].as_string() != "apiserver.config.k8s.io/v1")
    return fault("apiVersion", "must be apiserver.config.k8s.io/v1");
  const auto entries = configuration["resources"].elements();
  if (entries.empty()) return fault("resources", "at least one entry is required");
  EncryptionRules rules;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string at = "resources[" + std::to_string(i) + "]";
    Entry entry;
    for (const Json& resource : entries[i]["resources"].elements()) {
      for (std::string& prefix : prefixes_of(resource.as_string()))
        entry.prefixes.push_back(std::move(prefix));
    }
    if (entry.prefixes.empty()) return fault(at + ".resources", "at least one resource is required");
    const auto providers = entries[i]["providers"].elements();
    if (providers.empty()) return fault(at + ".providers", "at least one provider is required");
    for (std::size_t j = 0; j < providers.size(); ++j) {
      const std::string field = at + ".providers[" + std::to_string(j) + "]";
      const Json& provider = providers[j];
      Status good;
      if (provider.contains("aesgcm")) {
        good = read_keys(provider["aesgcm"], CipherKind::AesGcm, field + ".aesgcm", entry.keys);
      } else if (provider.contains("aescbc")) {
        good = read_keys(provider["aescbc"], CipherKind::AesCbc, field + ".aescbc", entry.keys);
      } else if (provider.contains("identity")) {
        entry.reads_plain = true;
        if (j == 0) entry.writes_plain = true;
      } else {
        good = fault(field, "only aesgcm, aescbc and identity are known");
      }
      if (!good) return std::move(good).error();
    }
    rules.entries_.push_back(std::move(entry));
  }
  return rules;
}

const EncryptionRules::Entry* EncryptionRules::entry_of(std::string_view place) const {
  for (const Entry& entry : entries_) {
    for (const std::string& prefix : entry.prefixes) {
      if (place.starts_with(prefix)) return &entry;
    }
  }
  return nullptr;
}

std::string EncryptionRules::seal(std::string_view place, std::string value) const {
  const Entry* entry = entry_of(place);
  if (entry == nullptr || entry->writes_plain) return value;
  return encrypt_value(entry->keys.front(), place, value);
}

Result<EncryptionRules::Opened> EncryptionRules::open(std::string_view place, std::string value) const {
  const Entry* entry = entry_of(place);
  const bool sealed = value.starts_with(kEncryptedPrefix);
  if (!sealed) {
    if (entry != nullptr && !entry->reads_plain)
      return Error(Code::DataLoss, "it is not encrypted, and no identity provider allows that");
    return Opened{std::move(value), entry != nullptr && !entry->writes_plain};
  }
  if (entry == nullptr) return Error(Code::DataLoss, "it is encrypted, but no entry names its resource");
  for (std::size_t i = 0; i < entry->keys.size(); ++i) {
    const CipherKey& key = entry->keys[i];
    if (!value.starts_with(key.prefix())) continue;
    auto plain = decrypt_value(key, place, value);
    if (!plain) return std::move(plain).context("key \"" + key.name + "\"");
    return Opened{*std::move(plain), i > 0 || entry->writes_plain};
  }
  // "aesgcm:v1:key1" of what stands in front.
  std::string_view name = std::string_view(value).substr(kEncryptedPrefix.size());
  std::size_t end = 0;
  for (int colons = 0; end < name.size() && colons < 3; ++end) colons += name[end] == ':';
  return Error(Code::DataLoss, "it was written with a key that is not here: " +
                                   std::string(name.substr(0, end ? end - 1 : 0)));
}

}  // namespace flotilla::store
