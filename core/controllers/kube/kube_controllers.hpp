// SPDX-License-Identifier: Apache-2.0
// The controllers that Kubernetes' API itself relies on, in both profiles: garbage collection, namespaces,
// and, for simulated clusters, service accounts and their tokens.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/api/schema/registry.hpp"
#include "core/async/metrics.hpp"
#include "core/informer/informers.hpp"
#include "core/store/writer.hpp"

namespace flotilla::controllers {

struct KubeContext {
  const Executor& executor;
  store::Store& store;
  store::Writer& writer;
  informer::Informers& informers;
  std::function<std::shared_ptr<const api::Registry>()> resources;  // those served now, CRDs included
  // Every namespace gets its default service account and kube-root-ca.crt, every token secret its token.
  bool service_accounts = false;
  std::string root_ca_pem;
  // A token of a service account for one of its secrets: namespace, account, account's uid, secret's name and
  // uid.
  using MintToken = std::function<Result<std::string>(
      const std::string& ns, const std::string& account, const std::string& account_uid,
      const std::string& secret, const std::string& secret_uid)>;
  MintToken mint_token;
  // A client certificate for a PKCS#10 request (PEM), good for so many seconds. Empty: nothing is signed.
  std::function<Result<std::string>(const std::string& request, std::int64_t seconds)> sign_certificate = {};
  Metrics* metrics = nullptr;  // null: nobody counts
  // Who a CSR's spec.request is for. Empty: certificates of agents are not approved.
  struct Requested {
    std::string common_name;
    std::vector<std::string> organizations, names;
  };
  std::function<Result<Requested>(const std::string& request)> read_request = {};
  // Whether the user who made a CSR, by its spec, may create certificatesigningrequests/SUBRESOURCE.
  std::function<bool(const api::Json& spec, const std::string& subresource)> may_create_request = {};
};

// Thread: as ControllerSet.
class KubeControllers {
 public:
  explicit KubeControllers(KubeContext context);
  ~KubeControllers();
  void start();
  void stop();
  bool idle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::controllers
