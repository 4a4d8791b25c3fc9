// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/api/admission/admission.hpp"

namespace flotilla::api::test {

inline Json json(std::string_view text) {
  auto parsed = Json::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed ? *parsed : Json();
}

// A world of given objects, numbered ids and one time zone.
class FakeWorld final : public AdmissionWorld {
 public:
  WallTime now() const override { return *parse_time("2026-05-01T12:00:00Z"); }
  std::string new_id() override { return "id-" + std::to_string(++ids); }
  std::vector<Json> list(std::string_view, std::string_view, std::string_view) const override {
    return existing;
  }
  Status update_status(const Json& object) override {
    written.push_back(object);
    return {};
  }
  Status compile_script(std::string_view script) const override {
    if (script == "broken") return invalid("syntax error");
    return {};
  }
  bool knows_time_zone(std::string_view name) const override { return name == "Asia/Shanghai"; }

  std::vector<Json> existing;
  std::vector<Json> written;
  int ids = 0;
};

inline Json of_kind(std::string_view api_version, std::string_view kind, std::string_view rest) {
  Json object = json(rest);
  object.set("apiVersion", api_version);
  object.set("kind", kind);
  return object;
}

inline Json completed(const Json& object, AdmissionVerb verb = AdmissionVerb::Create,
                      const Json& old = Json()) {
  FakeWorld world;
  auto result = complete({verb, "home", object, old}, world, {});
  EXPECT_TRUE(result.ok());
  return result ? *result : Json();
}

// The text of the refusal; empty when there is none.
inline std::string complaint(const Json& object, const Json& old = Json(), FakeWorld world = {},
                             AdmissionOptions options = {}) {
  AdmissionVerb verb = old.is_null() ? AdmissionVerb::Create : AdmissionVerb::Update;
  Status reviewed = review({verb, "home", object, old}, world, options);
  return reviewed ? std::string() : reviewed.error().message();
}

}  // namespace flotilla::api::test
