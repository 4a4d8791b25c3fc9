// SPDX-License-Identifier: Apache-2.0
// JSONPath templates as kubectl knows them: text with paths in braces.
//
//   {.status.phase}  {.items[0].name}  {.list[-1]}  {.list[1:3]}  {.list[0,2]}  {.map['a.b']}  {.list[*]}
//   {..name}
//   {.conditions[?(@.type=="Ready")].status}  {range .items[*]}{.name}{"\n"}{end}
//
// Several results of one path are joined by a space; strings stand as they are, lists and objects as JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

class JsonPath {
 public:
  // What a path finds where a member or an element is missing.
  enum class Missing : std::uint8_t { IsError, IsNothing };

  // Errors: BadRequest.
  static Result<JsonPath> parse(std::string_view text, Missing missing = Missing::IsError);

  // The whole template as text. Errors: Invalid, what a path does not find or cannot apply to.
  Result<std::string> render(const Json& root) const;
  // What the first path of the template finds; the values live as long as `root` and this JsonPath.
  Result<std::vector<const Json*>> find(const Json& root) const;

  struct Step;
  using Steps = std::vector<Step>;

  enum class Compare : std::uint8_t { Exists, Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual };

  struct Step {
    enum class Kind : std::uint8_t {
      Text,       // text
      Path,       // inner: one {…} of the template
      Range,      // inner: the path; body: the template between range and end
      Field,      // text: the member's name
      Slice,      // from, to, by
      Wildcard,   // every element or member
      Recursive,  // the value and all below it
      Filter,     // left (compare right)
      Union,      // inner: a list of Path, results one after another
      Literal,    // value
    };
    Kind kind;
    std::string text = {};
    std::optional<std::int64_t> from = {};
    std::optional<std::int64_t> to = {};
    std::optional<std::int64_t> by = {};
    bool single = false;  // of Slice: [n], where the element has to be there
    Compare compare = Compare::Exists;
    Json value = {};
    Steps inner = {};  // of Filter: the left side
    Steps body = {};   // of Filter: the right side
  };

 private:
  std::shared_ptr<const Steps> steps_;
  Missing missing_ = Missing::IsError;
};

}  // namespace flotilla::api
