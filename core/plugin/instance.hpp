// SPDX-License-Identifier: Apache-2.0
// One component of a plugin at work: create -> start -> (operations)* -> stop -> destroy (FLT-LIFE). Adapters
// hold it by shared_ptr and run operations through services().
//   auto ops = instance->ops<flt_storage_ops_t>();
//   Op op = [self = instance->self(), ops, request](flt_call_t* call) { ops->range(self, &request, call); };
// Every adopted or loaded component stays mapped for the life of the process, so the pointers never dangle.
#pragma once

#include <flotilla/abi/entry.h>

#include <memory>
#include <string>

#include "core/api/json.hpp"
#include "core/plugin/host_services.hpp"

namespace flotilla::plugin {

struct InstanceOptions {
  std::string name;       // the operator's name for it; the component's name when empty
  api::Json config;       // validated and with defaults (validate_config); null: none
  std::string state_dir;  // absolute, or empty
};

class Instance {
 public:
  // Runs `create`. Errors: Invalid with the member of the configuration at fault, as the plugin says it.
  static Result<std::shared_ptr<Instance>> create(HostEnvironment& environment,
                                                  const flt_component_t& component, InstanceOptions options);
  // Destroys the instance, unless operations are still running in it: then it is left alone and logged.
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  Task<Status> start(Duration timeout = std::chrono::seconds(30));
  // Idempotent. The caller has stopped asking for operations.
  Task<Status> stop(Duration timeout = std::chrono::seconds(5));
  // Errors: Conflict: needs a restart.
  Status reconfigure(const api::Json& config);
  Status health() const;
  // An optional interface by versioned id, or null.
  const void* query(std::string_view id) const;

  void* self() const { return self_; }
  const flt_component_t& component() const { return component_; }
  template <typename Ops>
  const Ops* ops() const {
    return static_cast<const Ops*>(component_.ops);
  }
  const std::shared_ptr<HostServices>& services() const { return services_; }
  const std::string& name() const { return name_; }

 private:
  Instance(const flt_component_t& component, std::string name, std::shared_ptr<HostServices> services);

  const flt_component_t& component_;
  std::string name_;
  std::shared_ptr<HostServices> services_;
  void* self_ = nullptr;
  bool started_ = false;
};

}  // namespace flotilla::plugin
