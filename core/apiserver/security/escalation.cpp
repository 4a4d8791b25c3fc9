// SPDX-License-Identifier: Apache-2.0
// Which rights a new role would give beyond what its author holds.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/apiserver/errors.hpp"
#include "core/apiserver/security/authorizer.hpp"

namespace flotilla::apiserver {
namespace {

bool covers(const std::vector<std::string>& held, const std::string& value) {
  return std::find(held.begin(), held.end(), value) != held.end() ||
         std::find(held.begin(), held.end(), "*") != held.end();
}

bool covers_resource(const std::vector<std::string>& held, const std::string& value) {
  if (covers(held, value)) return true;
  const auto slash = value.find('/');
  return slash != std::string::npos && covers(held, "*" + value.substr(slash));
}

bool covers_url(const std::vector<std::string>& held, const std::string& value) {
  for (const std::string& url : held) {
    if (url == value || url == "*") return true;
    if (url.size() > 1 && url.back() == '*' &&
        value.starts_with(std::string_view(url).substr(0, url.size() - 1))) {
      return true;
    }
  }
  return false;
}

// One verb on one resource (of one name) or one path.
struct Grain {
  std::string verb, group, resource, name, url;
};

bool held_covers(const std::vector<PolicyRule>& held, const Grain& grain) {
  for (const PolicyRule& rule : held) {
    if (!covers(rule.verbs, grain.verb)) continue;
    if (!grain.url.empty()) {
      if (covers_url(rule.urls, grain.url)) return true;
      continue;
    }
    if (!covers(rule.groups, grain.group) || !covers_resource(rule.resources, grain.resource)) continue;
    if (rule.names.empty() || (!grain.name.empty() && covers(rule.names, grain.name))) return true;
  }
  return false;
}

std::vector<Grain> grains_of(const PolicyRule& rule) {
  std::vector<Grain> grains;
  for (const std::string& verb : rule.verbs) {
    for (const std::string& url : rule.urls) grains.push_back({verb, "", "", "", url});
    for (const std::string& group : rule.groups) {
      for (const std::string& resource : rule.resources) {
        if (rule.names.empty()) grains.push_back({verb, group, resource, "", ""});
        for (const std::string& name : rule.names) grains.push_back({verb, group, resource, name, ""});
      }
    }
  }
  return grains;
}

std::string quoted_list(const std::vector<std::string>& values) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : " ") + quoted(values[i]);
  return out + "]";
}

}  // namespace

std::vector<std::string> missing_rules(const std::vector<PolicyRule>& held,
                                       const std::vector<PolicyRule>& wanted) {
  // Verbs of what is missing, by everything else: the compact form.
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::vector<std::string>> verbs;
  for (const PolicyRule& rule : wanted) {
    for (const Grain& grain : grains_of(rule)) {
      if (held_covers(held, grain)) continue;
      auto& list = verbs[{grain.url, grain.group, grain.resource, grain.name}];
      if (std::find(list.begin(), list.end(), grain.verb) == list.end()) list.push_back(grain.verb);
    }
  }
  std::set<std::string> lines;
  for (const auto& [key, list] : verbs) {
    const auto& [url, group, resource, name] = key;
    std::string line = "{";
    if (!url.empty()) {
      line += "NonResourceURLs:[" + quoted(url) + "]";
    } else {
      line += "APIGroups:[" + quoted(group) + "], Resources:[" + quoted(resource) + "]";
      if (!name.empty()) line += ", ResourceNames:[" + quoted(name) + "]";
    }
    lines.insert(line + ", Verbs:" + quoted_list(list) + "}");
  }
  return {lines.begin(), lines.end()};
}

}  // namespace flotilla::apiserver
