// SPDX-License-Identifier: Apache-2.0
// A karmada-scheduler-estimator for many clusters, over real gRPC. What it says of a cluster is in the file
// FOLDER/CLUSTER, read anew for each request, so that a test changes it with an editor's ease:
//
//   {"replicas": 3, "sets": 1, "unschedulable": 2}     says so; what is missing is unimplemented
//   {"delay_ms": 5000, ...}                            after a while, or when nobody waits any more
//   {"error": "no such node"}                          fails
//
// No file: it does not know the cluster, and says so as Karmada's does: as an error. FOLDER/requests has a
// line per request.
#pragma once

#include <memory>
#include <string>

namespace flotilla::fakes {

class EstimatorServer {
 public:
  struct Tls {
    std::string certificate_pem, key_pem, client_ca_pem;  // the last empty: clients need no certificate
  };
  // `address` as gRPC has it: unix:/path, localhost:0. Serves when the constructor returns.
  EstimatorServer(std::string folder, const std::string& address, const Tls& tls = {});
  ~EstimatorServer();
  EstimatorServer(const EstimatorServer&) = delete;
  EstimatorServer& operator=(const EstimatorServer&) = delete;

  int port() const;  // 0: it could not listen, or listens on no port

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::fakes
