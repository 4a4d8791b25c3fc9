// SPDX-License-Identifier: Apache-2.0
// From an object that a member has to a template of the control plane that owns it there, as karmadactl
// promote does it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/ctl/resources.hpp"
#include "core/interpreter/interpreter.hpp"

namespace flotilla::ctl {

// A member's object as a template: without what its cluster gave it, and allowed to take over what is there.
api::Json template_of(api::Json object);

struct PromoteRequest {
  std::string cluster;
  std::string type, name, ns;
  bool with_policy = true;
  std::string policy_name;
  bool with_dependencies = false;
  std::string output;  // json, yaml: print template and policy, and change nothing
};

class Promotion {
 public:
  Promotion(Session& control_plane, Session& member, const PromoteRequest& request)
      : control_plane_(control_plane), member_(member), request_(request) {}

  // What was promoted is told on stdout. When something fails, dependencies that were promoted before are
  // the member's own again.
  Status run();

 private:
  // What is there on both sides of one object.
  struct Piece {
    Resource resource;
    api::Json object;  // as the template
    std::string path;
  };
  Result<Piece> read(const Resource& resource, const std::string& ns, const std::string& name);
  Result<std::vector<Piece>> dependencies(const api::Json& object);
  std::shared_ptr<const interpreter::Interpreter> interpreter();
  // False: the control plane has it already.
  Result<bool> create(const Piece& piece);
  Status create_policy(const api::Json& object);
  void revert(const std::vector<Piece>& pieces);
  Status print(const Piece& piece) const;

  Session& control_plane_;
  Session& member_;
  const PromoteRequest& request_;
  Resources resources_;  // of the control plane
  Resources there_;      // of the member
};

}  // namespace flotilla::ctl
