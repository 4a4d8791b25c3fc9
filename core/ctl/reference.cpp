// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/reference.hpp"

#include <fmt/format.h>

#include "core/config/yaml.hpp"

namespace flotilla::ctl {

using api::Json;

Result<Reference> parse_reference(const Resources& resources, const std::vector<std::string>& words,
                                  const std::string& ns) {
  std::string type, name;
  if (words.size() == 1) {
    const std::size_t slash = words[0].find('/');
    if (slash != std::string::npos) {
      type = words[0].substr(0, slash);
      name = words[0].substr(slash + 1);
    }
  } else if (words.size() == 2 && words[0].find('/') == std::string::npos) {
    type = words[0];
    name = words[1];
  }
  if (type.empty() || name.empty() || name.find('/') != std::string::npos)
    return Error(Code::BadRequest, "name one object: TYPE/NAME or TYPE NAME");
  Result<Resource> resource = resources.find(type);
  if (!resource) return resource.error();
  Reference reference{std::move(*resource), ns, name};
  if (!reference.resource.namespaced) reference.ns.clear();
  return reference;
}

Result<Answered> ask_about(const GlobalFlags& flags, const std::vector<std::string>& words,
                           const std::string& word, const std::string& query) {
  Result<std::unique_ptr<Session>> session = open_session(flags);
  if (!session) return session.error();
  const Result<Resources> resources = Resources::discover(**session);
  if (!resources) return resources.error();
  Result<Reference> reference = parse_reference(*resources, words, namespace_of(flags, **session));
  if (!reference) return reference.error();
  Result<Json> answer = (*session)->get("/flotilla/v1/" + word + reference->path() + query);
  if (!answer) return answer.error();
  return Answered{std::move(*reference), std::move(*answer)};
}

bool print_as(const Json& answer, const std::string& output) {
  if (output == "json") {
    fmt::print("{}\n", answer.dump_pretty(4));
  } else if (output == "yaml") {
    fmt::print("{}", config::to_yaml(answer));
  } else {
    return false;
  }
  return true;
}

}  // namespace flotilla::ctl
