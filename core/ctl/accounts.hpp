// SPDX-License-Identifier: Apache-2.0
// What joining, registering and agents make in clusters: namespaces, accounts, rights, credentials.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ctl/session.hpp"

namespace flotilla::ctl {

inline constexpr const char* kClusters = "/apis/cluster.karmada.io/v1alpha1/clusters";
inline constexpr const char* kRbac = "/apis/rbac.authorization.k8s.io/v1";

// name, namespace where there is one, and the label karmada.io/system.
api::Json system_metadata(std::string_view name, std::string_view ns = {});
// "/api/v1/namespaces/NS/RESOURCE"
std::string in_namespace(std::string_view ns, std::string_view resource);

// Creates it, or brings what is there to what is wanted.
Result<api::Json> ensure(Session& session, const std::string& collection, const api::Json& object);
// Creates it where it is missing; what is there stays as it is.
Status ensure_namespace(Session& session, std::string_view ns);
Status ensure_account(Session& session, const std::string& ns, const std::string& account);
// All rights on everything: what is propagated may be anything.
Status grant_all(Session& member, const std::string& ns, const std::string& account, const std::string& role);

struct Credentials {
  std::string ca, token;  // base64, as Secrets hold them
};
// A token that does not expire: from the account's Secret where the member fills one in, else a long-lived
// request.
Result<Credentials> token_of(Session& member, const std::string& ns, const std::string& account);

// What a control plane needs to get in: two accounts, and their tokens.
struct MemberSide {
  std::optional<Credentials> own, impersonator;
};
struct WantedAccounts {
  bool own = true, impersonator = true;
};
Result<MemberSide> prepare_member(Session& member, const std::string& cluster, const std::string& ns,
                                  const WantedAccounts& wanted = {});

// Brings the credentials into the control plane: the Secrets CLUSTER and CLUSTER-impersonator.
Status bring_credentials(Session& control_plane, const std::string& cluster, const std::string& ns,
                         const MemberSide& side, const std::string& ca_pem);
// They go with the Cluster.
Status own_credentials(Session& control_plane, const std::string& ns, const api::Json& cluster,
                       const MemberSide& side);

// Deletes them one after the other; what is not there is no error.
Status remove_all(Session& session, const std::vector<std::string>& targets);

// True when the object is gone; false when `until` has passed first.
Result<bool> wait_until_gone(Session& session, const std::string& target, SteadyTime until);

}  // namespace flotilla::ctl
