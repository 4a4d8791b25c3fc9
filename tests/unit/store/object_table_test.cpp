// SPDX-License-Identifier: Apache-2.0
#include "core/store/object_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace flotilla::store {
namespace {

using api::Json;
using api::ObjectPtr;

ObjectPtr object(const std::string& ns, const std::string& name, std::int64_t revision = 1) {
  return api::Object::make(Json::object({{"metadata", Json::object({{"name", name}, {"namespace", ns}})}}),
                           Revision(revision));
}

std::vector<ObjectPtr> copied(const ObjectTable& table, std::string_view ns = {},
                              const api::ObjectKey* after = nullptr, std::size_t limit = 0) {
  std::vector<ObjectPtr> out;
  table.copy(ns, after, limit, out);
  return out;
}

TEST(Store_ObjectTable, agrees_with_an_ordered_map_under_random_writes) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  ObjectTable table;
  std::map<api::ObjectKey, ObjectPtr> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::string ns = "n" + std::to_string(random() % 5);
    const std::string name = std::to_string(random() % 900);
    const auto it = model.find({ns, name});
    const ObjectPtr was = it == model.end() ? nullptr : it->second;
    ASSERT_EQ(table.find(ns, name), was);
    if (random() % 3 == 0) {
      ASSERT_EQ(table.erase(ns, name), was);
      model.erase({ns, name});
    } else {
      const ObjectPtr made = object(ns, name, step + 1);
      ASSERT_EQ(table.put(made), was);
      model[{ns, name}] = made;
    }
    ASSERT_EQ(table.size(), model.size());
  }
  std::vector<ObjectPtr> all;
  std::vector<ObjectPtr> of_n2;
  for (const auto& [key, one] : model) {
    all.push_back(one);
    if (key.ns == "n2") of_n2.push_back(one);
  }
  EXPECT_EQ(copied(table), all);
  EXPECT_EQ(copied(table, "n2"), of_n2);
}

TEST(Store_ObjectTable, pages_go_on_behind_a_key_that_is_gone) {
  ObjectTable table;
  for (int i = 100; i < 1100; ++i) table.put(object("ns", std::to_string(i)));
  const api::ObjectKey after{"ns", "355"};
  table.erase("ns", "355");
  EXPECT_EQ(copied(table, "ns", &after, 1).front()->name(), "356");
  const api::ObjectKey before_all{"a", "x"};
  EXPECT_EQ(copied(table, "ns", &before_all, 1).front()->name(), "100");
  const api::ObjectKey last{"ns", "999"};
  EXPECT_TRUE(copied(table, "ns", &last).empty());
  EXPECT_TRUE(copied(table, "absent").empty());
}

}  // namespace
}  // namespace flotilla::store
