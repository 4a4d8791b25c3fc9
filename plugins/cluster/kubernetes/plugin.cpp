// SPDX-License-Identifier: Apache-2.0
// Any conformant Kubernetes API server over HTTPS.
#include <flotilla/sdk/driver.hpp>

#include "connection.hpp"

namespace flotilla::kubernetes {

namespace {

class Kubernetes {
 public:
  static constexpr sdk::DriverInfo kInfo = {
      .name = "kubernetes",
      .summary = "Kubernetes API servers over HTTPS",
      .caps = FLT_DRIVER_OBJECTS | FLT_DRIVER_SSA | FLT_DRIVER_BOOKMARKS | FLT_DRIVER_DRY_RUN};

  Kubernetes(const flt_host_t* host, std::string_view) : host_(host) {}

  std::shared_ptr<sdk::DriverConnection> connect(const flt_cluster_ref_t& ref) {
    return std::make_shared<Connection>(host_, ref);
  }

 private:
  const flt_host_t* host_;
};

}  // namespace

}  // namespace flotilla::kubernetes

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.cluster.kubernetes",
                                      .version = "0.1.0",
                                      .name = "Kubernetes member clusters"}),
           &flotilla::sdk::driver_component<flotilla::kubernetes::Kubernetes>)
