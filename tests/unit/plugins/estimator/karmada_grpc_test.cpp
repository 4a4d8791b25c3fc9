// SPDX-License-Identifier: Apache-2.0
// The plugin against a real gRPC server that answers, is late, errs and disappears.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <flotilla/sdk/estimator.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "sdk/conformance/estimator_suite.hpp"
#include "sdk/conformance/test_host.hpp"
#include "tests/fakes/estimator_server.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_karmada_grpc;
}

namespace flotilla::conformance {
namespace {

using ::testing::HasSubstr;

const flt_component_t& component() {
  return *flt_plugin_karmada_grpc.components[0];
}

// As the daemon fills the plugin's schema in.
std::string config(const std::string& address, const std::string& more = "") {
  return R"({"address":")" + address + R"(","addresses":{},"service_prefix":"p","service_namespace":"n",
      "port":1,"ca_file":"","cert_file":"","key_file":"","insecure_skip_verify":false,"server_name":"",
      "keepalive_seconds":310,"idle_seconds":600)" +
         more + "}";
}

class Plugin_KarmadaGrpc : public testing::Test {
 protected:
  Plugin_KarmadaGrpc() {
    folder_ = testing::TempDir() + "estimator-XXXXXX";
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  ~Plugin_KarmadaGrpc() override { std::filesystem::remove_all(folder_); }

  std::string address() const { return "unix:" + folder_ + "/sock"; }
  void serve() { server_ = std::make_unique<fakes::EstimatorServer>(folder_, address()); }
  void says(const std::string& cluster, const std::string& json) const {
    std::ofstream(folder_ + "/" + cluster) << json;
  }
  std::string requests() const {
    std::stringstream text;
    text << std::ifstream(folder_ + "/requests").rdbuf();
    return text.str();
  }

  // "3, -1, UNAVAILABLE-ish message"
  std::vector<std::string> read(const Answer& answer) const {
    if (!answer.ok()) return {"failed: " + answer.message};
    std::vector<std::string> said;
    const auto& result = answer.as<flt_estimates_t>();
    for (std::uint64_t i = 0; i < result.n_estimates; ++i) {
      const flt_estimate_t& each = result.estimates[i];
      said.push_back(each.status == FLT_OK
                         ? std::to_string(each.value)
                         : std::to_string(each.status) + " " + std::string(each.message.p, each.message.n));
    }
    return said;
  }

  std::string folder_;
  std::unique_ptr<fakes::EstimatorServer> server_;
  TestHost host_;
};

class Asker {
 public:
  Asker(TestHost& host, const std::string& config_json)
      : host_(host), instance_(host, component(), config_json, "") {
    EXPECT_TRUE(instance_.start().ok());
  }
  const flt_estimator_ops_t& ops() const { return *static_cast<const flt_estimator_ops_t*>(component().ops); }
  Answer room(const std::vector<std::string>& clusters, const std::string& requirements = "",
              const std::string& components = "", const std::string& assumed = "") {
    return host_.run([&](flt_call_t* call) {
      std::vector<flt_str_t> names, promises(clusters.size(), flt_str_t{assumed.data(), assumed.size()});
      for (const std::string& each : clusters) names.push_back({each.data(), each.size()});
      flt_room_request_t request{};
      request.struct_size = sizeof request;
      request.clusters = names.data();
      request.n_clusters = names.size();
      request.ns = {"shop", 4};
      request.object = {"kind=Deployment, name=shop/web", 30};
      request.requirements_json = {requirements.data(), requirements.size()};
      request.components_json = {components.data(), components.size()};
      request.assumed_json = assumed.empty() ? nullptr : promises.data();
      components.empty() ? ops().max_available_replicas(instance_.self(), &request, call)
                         : ops().max_available_component_sets(instance_.self(), &request, call);
    });
  }
  Answer unschedulable(const std::vector<std::string>& clusters) {
    return host_.run([&](flt_call_t* call) {
      std::vector<flt_str_t> names;
      for (const std::string& each : clusters) names.push_back({each.data(), each.size()});
      const flt_unschedulable_request_t request{
          sizeof request,     0,           names.data(), names.size(), {"apps/v1", 7},
          {"Deployment", 10}, {"shop", 4}, {"web", 3},   300};
      ops().unschedulable_replicas(instance_.self(), &request, call);
    });
  }

 private:
  TestHost& host_;
  TestInstance instance_;
};

TEST_F(Plugin_KarmadaGrpc, passes_the_conformance_suite_with_nobody_there) {
  for (const EstimatorCheck& check : estimator_checks())
    EXPECT_EQ(run_check(check, {&component(), config(address())}), "") << check.id << ": " << check.rule;
}

// One that answers about the first cluster alone.
class Forgetful {
 public:
  static constexpr sdk::EstimatorInfo kInfo = {.name = "forgetful", .summary = "Answers once"};
  Forgetful(const flt_host_t*, std::string_view) {}
  void max_available_replicas(const sdk::RoomRequest&, sdk::Call& call) {
    const sdk::Estimate one{.value = 1};
    sdk::succeed_with_estimates(call, {&one, 1});
  }
};

TEST(Plugins_Estimator, what_breaks_the_rules_does_not_pass) {
  std::string fault;
  for (const EstimatorCheck& check : estimator_checks()) {
    if (fault.empty()) fault = run_check(check, {&sdk::estimator_component<Forgetful>});
  }
  EXPECT_EQ(fault, "1 estimates for 2 clusters");
}

TEST_F(Plugin_KarmadaGrpc, tells_what_each_cluster_says) {
  serve();
  says("a", R"({"replicas": 3, "sets": 1, "unschedulable": 2})");
  says("b", R"({"replicas": 0})");
  says("d", R"({"error": "no nodes"})");
  Asker asker(host_, config(address()));
  const auto rooms = read(asker.room({"a", "b", "c", "d"}));
  ASSERT_EQ(rooms.size(), 4u);
  EXPECT_EQ(rooms[0], "3");
  EXPECT_EQ(rooms[1], "0");
  EXPECT_THAT(rooms[2], HasSubstr("cluster name does not match"));
  EXPECT_THAT(rooms[3], HasSubstr("no nodes"));
  // Who does not have the method knows nothing, which is no failure.
  EXPECT_EQ(read(asker.room({"a", "b"}, "", "[]")), (std::vector<std::string>{"1", "-1"}));
  EXPECT_EQ(read(asker.unschedulable({"b", "a"})), (std::vector<std::string>{"-1", "2"}));
  EXPECT_THAT(requests(), HasSubstr("GetUnschedulableReplicas a apps/v1 Deployment shop/web 300\n"));
  EXPECT_TRUE(host_.faults().empty());
}

TEST_F(Plugin_KarmadaGrpc, sends_all_that_a_replica_requires) {
  serve();
  says("a", R"({"replicas": 3, "sets": 1})");
  Asker asker(host_, config(address()));
  read(asker.room({"a"}, R"({"resourceRequest":{"cpu":"500m","memory":1073741824},"namespace":"shop",
      "priorityClassName":"high","nodeClaim":{"nodeSelector":{"disk":"ssd"},"tolerations":[{"key":"gpu",
      "operator":"Exists","effect":"NoExecute","tolerationSeconds":5}],"hardNodeAffinity":{"nodeSelectorTerms":
      [{"matchExpressions":[{"key":"zone","operator":"In","values":["x"]}],"matchFields":[{"key":"metadata.name",
      "operator":"In","values":["n"]}]}]}}})",
                  "", R"([{"namespace":"other","components":[{"name":"c0","replicas":2,
      "replicaRequirements":{"resourceRequest":{"cpu":"1"}}}]}])"));
  EXPECT_EQ(requests(),
            "MaxAvailableReplicas a [affinity:zone In x, cpu=500m, field:metadata.name, memory=1073741824, "
            "node:disk=ssd, tolerates:gpu Exists NoExecute 5] priority=high ns=shop assumed other "
            "c0*2[cpu=1] priority= for kind=Deployment, name=shop/web\n");
  read(asker.room({"a"}, "", R"([{"name":"master","replicas":1,"replicaRequirements":{"resourceRequest":
      {"cpu":"1"},"priorityClassName":"high"}},{"name":"worker","replicas":3}])"));
  EXPECT_THAT(requests(), HasSubstr("MaxAvailableComponentSets a master*1[cpu=1] priority=high worker*3[] "
                                    "priority= ns=shop for"));
}

TEST_F(Plugin_KarmadaGrpc, answers_in_time_when_an_estimator_does_not) {
  serve();
  says("slow", R"({"replicas": 3, "delay_ms": 60000})");
  says("fast", R"({"replicas": 4})");
  Asker asker(host_, config(address()));
  // Without a deadline of the host it takes Karmada's 3 s.
  const auto rooms = read(asker.room({"slow", "fast"}));
  ASSERT_EQ(rooms.size(), 2u);
  EXPECT_EQ(rooms[0], std::to_string(FLT_DEADLINE_EXCEEDED) + " " + address() + ": no answer in time");
  EXPECT_EQ(rooms[1], "4");
}

TEST_F(Plugin_KarmadaGrpc, notices_that_an_estimator_goes_and_comes_back) {
  serve();
  says("a", R"({"replicas": 3})");
  Asker asker(host_, config(address()));
  EXPECT_EQ(read(asker.room({"a"})), std::vector<std::string>{"3"});
  server_.reset();
  EXPECT_THAT(read(asker.room({"a"})).front(), HasSubstr(address()));
  serve();
  std::vector<std::string> said;
  for (int tries = 0; tries < 200 && said != std::vector<std::string>{"3"}; ++tries) {
    said = read(asker.room({"a"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(said, std::vector<std::string>{"3"});
}

// A certificate that signs itself and is its own authority: NAME.pem and NAME.key in the folder.
std::string make_certificate(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
      " -addext subjectAltName=DNS:localhost -keyout " + path + ".key -out " + path + ".pem 2>/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return path;
}

std::string content(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST_F(Plugin_KarmadaGrpc, speaks_tls_as_karmadas_flags_say) {
  const std::string server = make_certificate(folder_, "server"),
                    client = make_certificate(folder_, "client");
  const fakes::EstimatorServer::Tls tls{content(server + ".pem"), content(server + ".key"),
                                        content(client + ".pem")};
  const fakes::EstimatorServer serving(folder_, "localhost:0", tls);
  says("a", R"({"replicas": 3})");
  const auto ask = [&](const std::string& more) {
    std::string json = config("localhost:" + std::to_string(serving.port()));
    for (const char* replaced :
         {"\"ca_file\":\"\",", "\"cert_file\":\"\",\"key_file\":\"\",", "\"insecure_skip_verify\":false,"})
      json.erase(json.find(replaced), std::string(replaced).size());
    json.insert(1, more);
    Asker asker(host_, json);
    return read(asker.room({"a"})).front();
  };
  const std::string own = "\"cert_file\":\"" + client + ".pem\",\"key_file\":\"" + client + ".key\",";
  const std::string trusts = "\"ca_file\":\"" + server + ".pem\",";
  EXPECT_EQ(ask(own + trusts), "3");
  EXPECT_EQ(ask(own + "\"insecure_skip_verify\":true,"), "3");
  EXPECT_THAT(ask(own + "\"ca_file\":\"" + client + ".pem\","), HasSubstr("localhost"));
  EXPECT_THAT(ask(trusts), HasSubstr("localhost"));  // the server wants to know who asks
}

TEST_F(Plugin_KarmadaGrpc, fills_in_addresses) {
  serve();
  says("a", R"({"replicas": 3})");
  Asker asker(host_, config("unix:" + folder_ + "/{cluster}-{service_prefix}-{port}"));
  EXPECT_THAT(read(asker.room({"a"})).front(), HasSubstr(folder_ + "/a-p-1"));
}

}  // namespace
}  // namespace flotilla::conformance
