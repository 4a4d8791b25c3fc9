// SPDX-License-Identifier: Apache-2.0
// One object as people name it: "deploy/web", "deployment web", "rb/web-deployment".
#pragma once

#include <string>
#include <vector>

#include "core/ctl/command.hpp"
#include "core/ctl/resources.hpp"

namespace flotilla::ctl {

struct Reference {
  Resource resource;
  std::string ns, name;

  std::string path() const { return resource.path(ns, name); }
  // "deployment.apps/web".
  std::string text() const { return resource.qualified() + "/" + name; }
};

// Errors: BadRequest (not exactly one object), NotFound (no such type).
Result<Reference> parse_reference(const Resources& resources, const std::vector<std::string>& words,
                                  const std::string& ns);

// A question about one object: session, what it is about, and the answer of /flotilla/v1/WORD/....
struct Answered {
  Reference reference;
  api::Json answer;
};
Result<Answered> ask_about(const GlobalFlags& flags, const std::vector<std::string>& words,
                           const std::string& word, const std::string& query);

// "json" and "yaml" are printed and true; anything else is left to the caller.
bool print_as(const api::Json& answer, const std::string& output);

}  // namespace flotilla::ctl
