// SPDX-License-Identifier: Apache-2.0
// Etcd that is full, and etcd that lets in only those who may: TLS with client certificates, users and roles.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/faults/etcd/load.hpp"

namespace flotilla::faults {
namespace {

using conformance::Answer;
using conformance::StorageClient;
using conformance::TestHost;

std::string wrong(const std::string& config, flt_status_t status) {
  TestHost host;
  StorageClient client(host, *flt_plugin_storage_etcd.components[0], config, "");
  if (client.instance().self() == nullptr) return client.instance().created().message;
  const Answer answer = client.instance().start();
  EXPECT_EQ(answer.status, status) << answer.message;
  return answer.message;
}

// A suite's worth of behaviour, as far as it is about the connection.
void expect_serves(const std::string& config) {
  for (const conformance::StorageCheck& check : conformance::storage_checks()) {
    const std::string id = check.id;
    if (id != "STO-COMMIT-COUNTER" && id != "STO-WATCH-COMPLETE" && id != "STO-PROGRESS" &&
        id != "STO-VALUE" && id != "STO-STATUS-LINEARIZABLE")
      continue;
    std::string own = config;
    own.replace(own.find("{fresh}"), 7, id);
    EXPECT_EQ(conformance::run_check(check, subject_of(own)).why, "");
  }
}

TEST(Etcd_Guarded, a_full_database_is_read_only_until_the_alarm_is_disarmed) {
  EtcdCluster etcd({.members = 1, .args = {"--quota-backend-bytes", "16777216"}});
  Subject subject(subject_of(etcd.config("/full/")));
  const std::string value(500'000, 'x');
  Answer refused;
  for (int i = 0; i < 100 && (i == 0 || refused.ok()); ++i)
    refused = subject->commit(CommitSpec::put("k" + std::to_string(i % 3), value)).answer;
  EXPECT_EQ(refused.status, FLT_RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.reason, "NoSpace");
  EXPECT_NE(refused.message.find("etcdctl alarm disarm"), std::string::npos) << refused.message;
  auto stated = subject->status();
  EXPECT_TRUE(stated.read_only);
  EXPECT_NE(stated.alarm.find("NOSPACE"), std::string::npos) << stated.alarm;
  EXPECT_EQ(subject.all().size(), 3u) << "what is there can be read";

  ASSERT_TRUE(subject->compact(stated.revision).ok());
  etcd.etcdctl("defrag");
  etcd.etcdctl("alarm disarm");
  stated = subject->status();
  EXPECT_FALSE(stated.read_only) << stated.alarm;
  subject.put("k0", "small");
  subject.finish();
}

class Certificates {
 public:
  Certificates() : folder_((std::filesystem::temp_directory_path() / "etcd-tls-XXXXXX").string()) {
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
    authority("ca");
    authority("other-ca");
    certificate("server", "ca");
    certificate("client", "ca");
    certificate("stranger", "other-ca");
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }
  std::string operator()(const std::string& name) const { return folder_ + "/" + name; }

 private:
  void run(const std::string& command) const {
    const std::string all = "cd " + folder_ + " && " + command + " >>log 2>&1";
    if (std::system(all.c_str()) != 0) throw std::runtime_error(command);
  }
  void authority(const std::string& name) const {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=" +
        name + " -keyout " + name + ".key -out " + name + ".crt");
  }
  void certificate(const std::string& name, const std::string& by) const {
    std::ofstream(folder_ + "/" + name + ".ext")
        << "subjectAltName=IP:127.0.0.1,DNS:etcd.example\nextendedKeyUsage=serverAuth,clientAuth\n";
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=" + name +
        " -keyout " + name + ".key -out " + name + ".csr");
    run("openssl x509 -req -days 2 -CAcreateserial -CA " + by + ".crt -CAkey " + by + ".key -in " + name +
        ".csr -extfile " + name + ".ext -out " + name + ".crt");
  }

  std::string folder_;
};

TEST(Etcd_Guarded, tls_lets_in_those_with_the_right_certificates) {
  const Certificates files;
  EtcdCluster etcd({.members = 1,
                    .args = {"--cert-file", files("server.crt"), "--key-file", files("server.key"),
                             "--client-cert-auth", "--trusted-ca-file", files("ca.crt")},
                    .client_scheme = "https"});
  const auto tls = [&](const std::string& ca, const std::string& certificate, const std::string& more = {}) {
    std::string text = R"("requestTimeoutMs":2000,"tls":{"caFile":")" + files(ca) + "\"";
    if (!certificate.empty()) {
      text += R"(,"certFile":")" + files(certificate + ".crt") + R"(","keyFile":")" +
              files(certificate + ".key") + "\"";
    }
    return text + more + "}";
  };
  expect_serves(etcd.config("/tls/{fresh}", tls("ca.crt", "client")));
  wrong(etcd.config("/tls", tls("ca.crt", "")), FLT_UNAVAILABLE);
  wrong(etcd.config("/tls", tls("ca.crt", "stranger")), FLT_UNAVAILABLE);
  wrong(etcd.config("/tls", tls("other-ca.crt", "client")), FLT_UNAVAILABLE);
  wrong(etcd.config("/tls", tls("ca.crt", "client", R"(,"serverName":"wrong.example")")), FLT_UNAVAILABLE);
  Subject named(subject_of(etcd.config("/tls", tls("ca.crt", "client", R"(,"serverName":"etcd.example")"))));
  named.put("a", "1");
  named.finish();
  EXPECT_NE(
      wrong(etcd.config("/tls", tls("nowhere.crt", "client")), FLT_FAILED_PRECONDITION).find("nowhere.crt"),
      std::string::npos);
}

TEST(Etcd_Guarded, users_see_their_prefix_and_tokens_are_renewed) {
  const std::string password_file =
      (std::filesystem::temp_directory_path() / ("etcd-password-" + std::to_string(::getpid()))).string();
  std::ofstream(password_file) << "secret\n";
  EtcdCluster etcd;
  etcd.etcdctl("user add root:rootpassword");
  etcd.etcdctl("user grant-role root root");
  etcd.etcdctl("role add fleet");
  etcd.etcdctl("role grant-permission --prefix=true fleet readwrite /mine/");
  etcd.etcdctl("user add flotilla:secret");
  etcd.etcdctl("user grant-role flotilla fleet");
  etcd.etcdctl("auth enable");
  const std::string user = R"("user":"flotilla","passwordFile":")" + password_file + "\"";
  expect_serves(etcd.config("/mine/{fresh}", user));
  wrong(etcd.config("/mine/"), FLT_UNAUTHENTICATED);
  EXPECT_NE(wrong(etcd.config("/theirs/", user), FLT_PERMISSION_DENIED).find("/theirs/"), std::string::npos);
  {
    // A member that starts anew knows no token of before.
    Load load(etcd.config("/mine/load/", user + R"(,"requestTimeoutMs":3000)"));
    load.wait_for(50);
    etcd.kill();
    etcd.start();
    load.wait_for(50);
    load.expect_nothing_lost();
  }
  std::ofstream(password_file) << "wrong\n";
  EXPECT_NE(wrong(etcd.config("/mine/", user), FLT_UNAUTHENTICATED).find("passwordFile"), std::string::npos);
  std::filesystem::remove(password_file);
}

TEST(Etcd_Guarded, a_configuration_that_cannot_be_is_refused_by_create) {
  for (const auto& [config, word] : std::vector<std::pair<std::string, std::string>>{
           {R"({"endpoints":[]})", "endpoints"},
           {R"({"endpoints":["localhost"]})", "no port"},
           {R"({"endpoints":["http://a:1","https://b:1"]})", "https"},
           {R"({"endpoints":["http://a:1"],"tls":{}})", "tls"},
           {R"({"endpoints":["a:1"],"tls":{"certFile":"/a"}})", "keyFile"},
           {R"({"endpoints":["a:1"],"user":"me"})", "passwordFile"},
           {R"({"endpoints":"a:1"})", "configuration"}}) {
    TestHost host;
    const StorageClient client(host, *flt_plugin_storage_etcd.components[0], config, "");
    auto& instance = const_cast<StorageClient&>(client).instance();
    EXPECT_EQ(instance.created().status, FLT_INVALID_ARGUMENT) << config;
    EXPECT_NE(instance.created().message.find(word), std::string::npos) << instance.created().message;
  }
}

}  // namespace
}  // namespace flotilla::faults
