// SPDX-License-Identifier: Apache-2.0
#include "core/api/object.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

Json parsed(std::string_view text) {
  auto value = Json::parse(text);
  EXPECT_TRUE(value.ok()) << text;
  return value ? *std::move(value) : Json();
}

TEST(Api_Object, carries_its_revision_in_its_bytes_and_not_in_what_is_stored) {
  const Json content = parsed(
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{"a":"\"resourceVersion\":\"\""},)"
      R"("labels":{"x":"1"},"name":"n","namespace":"s","resourceVersion":"7","uid":"u"},"data":{"k":"v"}})");
  const ObjectPtr object = Object::make(content, Revision(42));
  EXPECT_EQ(revision_of(parsed(object->bytes())), Revision(42));
  EXPECT_EQ(parsed(object->bytes())["data"]["k"].as_string(), "v");
  const auto loaded = Object::load(object->stored_bytes(), Revision(42));
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->bytes(), object->bytes());
  EXPECT_EQ(revision_of(parsed(object->at_revision(Revision(1000))->bytes())), Revision(1000));
}

TEST(Api_Object, a_sealed_draft_is_the_same_object_as_one_made_or_loaded) {
  const Json content = parsed(R"({"a":[{"}":"\\\""}],"kind":"K","metadata":{"name":"n"},"z":-1.5})");
  const ObjectPtr made = Object::make(content, Revision(42));
  const ObjectPtr sealed = Object::seal(Object::draft(content), Revision(42));
  EXPECT_EQ(sealed->bytes(), made->bytes());
  EXPECT_EQ(*sealed->content(), *made->content());
  EXPECT_EQ(sealed->stored_bytes(), made->stored_bytes());
  EXPECT_EQ((*Object::load(sealed->stored_bytes(), Revision(42)))->bytes(), made->bytes());
  EXPECT_EQ((*Object::load(content.dump_pretty(), Revision(42)))->bytes(), made->bytes());
}

TEST(Api_Object, stored_bytes_that_are_no_whole_object_are_data_loss) {
  const std::string stored =
      Object::make(parsed(R"({"metadata":{"name":"n"},"z":[1]})"), Revision(1))->stored_bytes();
  for (std::size_t length = 0; length < stored.size(); ++length) {
    const auto loaded = Object::load(std::string_view(stored).substr(0, length), Revision(1));
    ASSERT_FALSE(loaded.ok()) << length;
    EXPECT_EQ(loaded.error().code(), Code::DataLoss);
  }
}

TEST(Api_Object, indexes_its_metadata) {
  const ObjectPtr object = Object::make(
      parsed(
          R"({"metadata":{"name":"n","namespace":"s","uid":"u","generation":3,"deletionTimestamp":"2026-01-01T00:00:00Z",)"
          R"("labels":{"b":"2","a":"1"},"ownerReferences":[{"uid":"o"}]}})"),
      Revision(1));
  EXPECT_EQ(object->key().text(), "s/n");
  EXPECT_EQ(object->generation(), 3);
  EXPECT_TRUE(object->deleting());
  EXPECT_EQ(*object->labels().find("a"), "1");
  EXPECT_EQ(object->labels().find("c"), nullptr);
  EXPECT_EQ(object->owner_uids(), std::vector<std::string>{"o"});
}

TEST(Api_Object, parses_again_after_its_content_was_released) {
  const ObjectPtr object = Object::make(parsed(R"({"metadata":{"name":"n"},"zz":1})"), Revision(1));
  object->release_content();
  EXPECT_EQ((*object->content())["zz"].as_int(), 1);
}

TEST(Api_Object, finalizers_are_added_and_removed_once) {
  Json object = parsed(R"({"metadata":{"name":"n"}})");
  EXPECT_TRUE(add_finalizer(object, "a"));
  EXPECT_FALSE(add_finalizer(object, "a"));
  EXPECT_TRUE(has_finalizer(object, "a"));
  EXPECT_TRUE(remove_finalizer(object, "a"));
  EXPECT_FALSE(remove_finalizer(object, "a"));
  EXPECT_EQ(object.dump(), R"({"metadata":{"name":"n"}})");
}

std::string untyped(const Object& object) {
  std::string text;
  for (const std::string_view piece : object.untyped()) text += piece;
  return text;
}

TEST(Api_Object, leaves_out_its_type_for_lists) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"apiVersion":"v1","data":{"kind":"x"},"kind":"C","metadata":{"name":"a"}})",
       R"({"data":{"kind":"x"},"metadata":{"name":"a","resourceVersion":"7"}})"},
      {R"({"addressType":"IPv4","apiVersion":"v1","kind":"K","metadata":{},"ports":[]})",
       R"({"addressType":"IPv4","metadata":{"resourceVersion":"7"},"ports":[]})"},
      {R"({"apiVersion":"v1","kind":"K","metadata":{}})", R"({"metadata":{"resourceVersion":"7"}})"},
      {R"({"kind":"K","metadata":{}})", R"({"metadata":{"resourceVersion":"7"}})"},
      {R"({"apiVersion":"v1","data":{"a":"\"}"},"metadata":{}})",
       R"({"data":{"a":"\"}"},"metadata":{"resourceVersion":"7"}})"},
      {R"({"data":{},"metadata":{}})", R"({"data":{},"metadata":{"resourceVersion":"7"}})"},
  };
  for (const auto& [text, wanted] : cases) {
    const ObjectPtr made = Object::make(*Json::parse(text), Revision(7));
    EXPECT_EQ(untyped(*made), wanted);
    EXPECT_EQ(made->untyped_size(), wanted.size());
    const ObjectPtr loaded = *Object::load(made->stored_bytes(), Revision(7));
    EXPECT_EQ(untyped(*loaded), wanted);
    EXPECT_EQ(untyped(*made->at_revision(Revision(7))), wanted);
    ObjectDraft draft = Object::draft(*Json::parse(text));
    EXPECT_EQ(untyped(*Object::seal(std::move(draft), Revision(7))), wanted);
  }
}

}  // namespace
}  // namespace flotilla::api
