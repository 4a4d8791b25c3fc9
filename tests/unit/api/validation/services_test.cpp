// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/api/defaulting/defaulting.hpp"
#include "core/api/validation/validation.hpp"

namespace flotilla::api {
namespace {

Json with_defaults(const Resource& resource, std::string_view spec) {
  auto object =
      Json::parse(R"({"apiVersion":")" + resource.group_version() + R"(","kind":")" + resource.kind +
                  R"(","metadata":{"name":"a","namespace":"n"},"spec":)" + std::string(spec) + "}");
  EXPECT_TRUE(object.ok()) << spec;
  set_defaults(resource, *object);
  return *object;
}

std::string errors_of(const Resource& resource, std::string_view spec, const Json& live = Json()) {
  const Json object = with_defaults(resource, spec);
  const FieldErrors errors = validate(resource, object, live, "");
  std::string found;
  for (const Cause& one : errors.causes())
    found += (found.empty() ? "" : " | ") + one.field + ": " + one.message;
  return found;
}

const Resource& services() {
  return *Registry::builtin().find_resource("", "v1", "services");
}

TEST(Api_ServiceValidation, ties_fields_to_types) {
  EXPECT_EQ(errors_of(services(), R"({"ports":[{"port":80}]})"), "");
  EXPECT_EQ(errors_of(services(), R"({"type":"ExternalName","externalName":"a.b."})"), "");
  EXPECT_EQ(errors_of(services(), R"({"ports":[{"port":80}],"externalTrafficPolicy":"Local"})"),
            "spec.externalTrafficPolicy: Invalid value: \"Local\": ExternalTrafficPolicy can only be set on "
            "NodePort "
            "and LoadBalancer service");
  EXPECT_EQ(errors_of(services(), R"({"ports":[{"port":80}],"allocateLoadBalancerNodePorts":true})"),
            "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'");
}

TEST(Api_ServiceValidation, wants_addresses_of_both_families_or_one) {
  EXPECT_EQ(
      errors_of(services(),
                R"({"ports":[{"port":80}],"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1","10.0.0.2"]})"),
      "spec.clusterIPs: Invalid value: []string{\"10.0.0.1\", \"10.0.0.2\"}: may specify no more than one IP "
      "for each IP family");
  EXPECT_EQ(
      errors_of(
          services(),
          R"({"ports":[{"port":80}],"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"ipFamilies":["IPv6"]})"),
      "spec.clusterIPs[0]: Invalid value: \"10.0.0.1\": expected an IPv6 value as indicated by "
      "`ipFamilies[0]`");
}

TEST(Api_ServiceValidation, keeps_the_first_address) {
  const Json live = with_defaults(
      services(), R"({"ports":[{"port":80}],"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"]})");
  EXPECT_EQ(errors_of(services(),
                      R"({"ports":[{"port":80}],"clusterIP":"10.0.0.2","clusterIPs":["10.0.0.2"]})", live),
            "spec.clusterIPs[0]: Invalid value: []string{\"10.0.0.2\"}: may not change once set");
}

TEST(Api_CronJobValidation, reads_schedules_field_by_field) {
  const Resource& cron_jobs = *Registry::builtin().find_resource("batch", "v1", "cronjobs");
  const auto schedule = [&](const std::string& text, const std::string& more = "") {
    return errors_of(cron_jobs,
                     R"({"schedule":")" + text + "\"" + more +
                         R"(,"jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[
                                    {"name":"c","image":"i"}]}}}}})");
  };
  EXPECT_EQ(schedule("*/5 1-3 1,15 jan-mar mon"), "");
  EXPECT_EQ(schedule("@hourly", R"(,"timeZone":"Europe/Berlin")"), "");
  EXPECT_EQ(schedule("60 * * * *"),
            "spec.schedule: Invalid value: \"60 * * * *\": end of range (60) above maximum (59): 60");
  EXPECT_EQ(
      schedule("x * * * *"),
      "spec.schedule: Invalid value: \"x * * * *\": failed to parse int from x: strconv.Atoi: parsing \"x\": "
      "invalid syntax");
  EXPECT_EQ(schedule("* * * * *", R"(,"timeZone":"Mars/Olympus")"),
            "spec.timeZone: Invalid value: \"Mars/Olympus\": unknown time zone Mars/Olympus");
}

}  // namespace
}  // namespace flotilla::api
