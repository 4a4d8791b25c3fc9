// SPDX-License-Identifier: Apache-2.0
// Copies of a Json share what they have in common; nobody may notice.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "core/api/json.hpp"

namespace flotilla::api {
namespace {

Json sample() {
  return *Json::parse(
      R"({"metadata":{"name":"a long name that is no short string","labels":{"x":"1","y":"2"}},
                          "spec":{"list":[1,{"a":[2,3]},"text"],"replicas":3}})");
}

TEST(Api_JsonSharing, a_copy_keeps_what_it_had_when_the_other_changes) {
  const Json first = sample();
  const std::string before = first.dump();
  Json second = first;
  second["metadata"]["labels"].set("x", "changed");
  second["spec"]["list"].push_back(4);
  second["spec"].erase("replicas");
  EXPECT_EQ(first.dump(), before);
  EXPECT_EQ(second["metadata"]["labels"]["x"].as_string(), "changed");
  EXPECT_NE(first, second);
}

TEST(Api_JsonSharing, a_reference_handed_out_changes_its_own_document_alone) {
  Json first = sample();
  Json& labels = first["metadata"]["labels"];
  const Json second = first;
  labels.set("x", "changed");
  EXPECT_EQ(second["metadata"]["labels"]["x"].as_string(), "1");
  EXPECT_EQ(std::as_const(first)["metadata"]["labels"]["x"].as_string(), "changed");
  Json outer;
  outer.set("inner", first);
  Json& inner_labels = outer["inner"]["metadata"]["labels"];
  const Json copy = outer;
  inner_labels.set("y", "changed too");
  EXPECT_EQ(copy["inner"]["metadata"]["labels"]["y"].as_string(), "2");
}

TEST(Api_JsonSharing, references_to_members_survive_new_members) {
  Json object = Json::object();
  object.set("first", "kept");
  Json& first = object["first"];
  for (int i = 0; i < 100; ++i) object.set("key" + std::to_string(i), i);
  EXPECT_EQ(first.as_string(), "kept");
  first = "changed";
  EXPECT_EQ(std::as_const(object)["first"].as_string(), "changed");
  EXPECT_EQ(object.size(), 101u);
}

TEST(Api_JsonSharing, a_constant_reference_outlives_the_other_holders) {
  auto holder = std::make_unique<Json>(sample());
  Json mine = *holder;
  const Json& spec = std::as_const(mine)["spec"];
  mine["metadata"].set("name", "b");
  holder.reset();
  EXPECT_EQ(spec["replicas"].as_int(), 3);
}

TEST(Api_JsonSharing, frozen_documents_share_again) {
  Json first = sample();
  first["spec"]["list"].push_back(5);
  first.freeze();
  const Json second = first;
  EXPECT_EQ(&std::as_const(first)["spec"], &second["spec"]);
  const Json third = second;
  EXPECT_EQ(&third["spec"]["list"], &second["spec"]["list"]);
}

TEST(Api_JsonSharing, erased_members_make_room_for_others) {
  Json object = Json::object({{"a", 1}, {"b", 2}, {"c", 3}});
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(object.erase("b"));
    object.set("b", i);
  }
  EXPECT_EQ(object.dump(), R"({"a":1,"b":49,"c":3})");
}

// A place somewhere in `value`, by references that allow changes.
Json& random_place(Json& value, std::mt19937& random) {
  Json* here = &value;
  while (here->size() > 0 && random() % 4 != 0) {
    if (here->is_array()) {
      here = &here->elements()[random() % here->size()];
    } else {
      here = here->find(here->keys()[random() % here->size()]);
    }
  }
  return *here;
}

void change_somewhere(Json& value, const std::vector<Json>& others, std::mt19937& random) {
  Json& place = random_place(value, random);
  switch (random() % 6) {
    case 0:
      place = static_cast<int>(random() % 100);
      return;
    case 1:
      place.set("key number " + std::to_string(random() % 12), "text of more than fourteen characters");
      return;
    case 2:
      place.push_back(static_cast<int>(random() % 100));
      return;
    case 3:
      if (place.dump().size() < 2000)
        place.set("k" + std::to_string(random() % 5), others[random() % others.size()]);
      return;
    case 4:
      if (place.is_object() && !place.empty()) place.erase(place.keys()[random() % place.size()]);
      if (place.is_array()) place.erase_at(random() % (place.size() + 1));
      return;
    default:
      place = Json::array({1, "two", Json::object({{"three", 3}})});
      return;
  }
}

TEST(Api_JsonSharing, holds_under_random_changes_of_many_copies) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<Json> documents(8, sample());
  std::vector<std::string> texts(8, sample().dump());
  for (int round = 0; round < 4000; ++round) {
    const std::size_t at = random() % documents.size();
    if (documents[at].dump().size() > 20'000) documents[at] = sample();
    const std::size_t from = random() % documents.size();
    if (random() % 3 == 0) documents[at] = documents[from];
    if (random() % 3 == 0) documents[at].freeze();
    const std::vector<Json> others = {documents[from]};
    if (others[0].dump().size() < 5'000) change_somewhere(documents[at], others, random);
    texts[at] = documents[at].dump();
    for (std::size_t i = 0; i < documents.size(); ++i) ASSERT_EQ(documents[i].dump(), texts[i]) << round;
    ASSERT_EQ(*Json::parse(texts[at]), documents[at]);
  }
}

TEST(Api_JsonSharing, threads_change_their_copies_of_one_document) {
  const Json shared = sample();
  const std::string before = shared.dump();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&shared, t] {
      for (int i = 0; i < 500; ++i) {
        Json mine = shared;
        mine["spec"].set("replicas", t * 1000 + i);
        mine["metadata"]["labels"].set("a label that is new here", "x");
        EXPECT_EQ(std::as_const(mine)["spec"]["replicas"].as_int(), t * 1000 + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shared.dump(), before);
}

}  // namespace
}  // namespace flotilla::api
