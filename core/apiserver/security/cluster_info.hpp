// SPDX-License-Identifier: Apache-2.0
// ConfigMap kube-public/cluster-info: where this server is and by which CA it is known, for whoever joins
// with nothing but a bootstrap token (k8s-api 10.3). Everybody may read it; that it comes from the right
// server is shown by a signature for every token that may sign (usage-bootstrap-signing). As Kubernetes'
// controllers bootstrapsigner and tokencleaner do.
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// A kubeconfig without users, as kubeadm writes it.
std::string cluster_info_text(std::string_view url, std::string_view authority_pem);
// The data with the signatures that it should have. `secrets`: those of kube-system.
Json signed_cluster_info(const Json& data, const std::vector<ObjectPtr>& secrets, WallTime now);

// Writes the ConfigMap and who may read it, where they differ; then keeps the signatures up to date and
// removes tokens that have expired, for as long as the fiber runs. Empty `url`: what is written stays.
Task<void> run_cluster_info(ServerPtr server, std::string url);

}  // namespace flotilla::apiserver
