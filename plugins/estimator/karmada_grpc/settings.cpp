// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <flotilla/sdk/json_view.hpp>
#include <flotilla/sdk/plugin.hpp>

#include <utility>

namespace flotilla::estimator {

Settings Settings::parse(std::string_view config_json) {
  const sdk::JsonView config(config_json);
  Settings settings;
  settings.address = config["address"].string();
  settings.service_prefix = config["service_prefix"].string();
  settings.service_namespace = config["service_namespace"].string();
  settings.port = config["port"].raw();
  settings.ca_file = config["ca_file"].string();
  settings.cert_file = config["cert_file"].string();
  settings.key_file = config["key_file"].string();
  settings.server_name = config["server_name"].string();
  settings.insecure_skip_verify = config["insecure_skip_verify"].boolean();
  settings.keepalive_seconds = config["keepalive_seconds"].integer(settings.keepalive_seconds);
  settings.idle_seconds = config["idle_seconds"].integer(settings.idle_seconds);
  config["addresses"].each_member([&](std::string_view cluster, sdk::JsonView address) {
    settings.addresses.emplace(cluster, address.string());
    return true;
  });
  if (settings.cert_file.empty() != settings.key_file.empty())
    throw sdk::Failure(FLT_INVALID_ARGUMENT, "cert_file and key_file go together");
  return settings;
}

std::string Settings::address_of(std::string_view cluster) const {
  if (const auto own = addresses.find(cluster); own != addresses.end()) return own->second;
  const std::pair<std::string_view, std::string_view> words[] = {{"{cluster}", cluster},
                                                                 {"{service_prefix}", service_prefix},
                                                                 {"{service_namespace}", service_namespace},
                                                                 {"{port}", port}};
  std::string made;
  for (std::size_t at = 0; at < address.size();) {
    bool filled = false;
    for (const auto& [word, value] : words) {
      if (std::string_view(address).substr(at, word.size()) != word) continue;
      made += value;
      at += word.size();
      filled = true;
      break;
    }
    if (!filled) made += address[at++];
  }
  return made;
}

}  // namespace flotilla::estimator
