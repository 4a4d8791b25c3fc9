// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/admission.hpp"

#include <gtest/gtest.h>

#include "core/controllers/kinds.hpp"
#include "tests/fakes/memory_backend.hpp"

namespace flotilla::daemon {
namespace {

using api::Json;

class Daemon_Admission : public testing::Test {
 protected:
  std::string create(const store::StoredKind& kind, std::string_view api_version, std::string_view of,
                     const std::string& name) {
    store::AdmissionRequest request;
    request.operation = store::AdmissionRequest::Operation::Create;
    request.kind = &kind;
    Json object = Json::object({{"apiVersion", api_version},
                                {"kind", of},
                                {"metadata", Json::object({{"name", name}, {"namespace", "default"}})}});
    const Status admitted = admission_(request, object);
    return admitted ? "" : admitted.error().message();
  }

  SystemClock clock_;
  Executor executor_{clock_};
  store::Store store_{executor_, std::make_unique<store::MemoryBackend>()};
  store::Admission admission_ = make_admission(store_, clock_, {});
};

// Controllers make names out of others.
TEST_F(Daemon_Admission, names_of_what_controllers_write_are_looked_at) {
  namespace kinds = controllers::kinds;
  EXPECT_EQ(create(kinds::kService, "v1", "Service", "derived-web"), "");
  EXPECT_EQ(create(kinds::kService, "v1", "Service", "derived-" + std::string(56, 'a')),
            "Service \"derived-" + std::string(56, 'a') +
                "\" is invalid: metadata.name: Invalid value: \"derived-" + std::string(56, 'a') +
                "\": must be no more than 63 characters");
  EXPECT_EQ(create(kinds::kEndpointSlice, "discovery.k8s.io/v1", "EndpointSlice",
                   "imported-" + std::string(200, 'a')),
            "");
  EXPECT_NE(create(kinds::kEndpointSlice, "discovery.k8s.io/v1", "EndpointSlice",
                   "imported-" + std::string(253, 'a')),
            "");
}

}  // namespace
}  // namespace flotilla::daemon
