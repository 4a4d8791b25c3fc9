// SPDX-License-Identifier: Apache-2.0
// References to container images: [registry/]repository[:tag][@digest], by the grammar of the distribution
// project.
#pragma once

#include <string>
#include <string_view>

namespace flotilla::plugins::image {

// A reference with both tag and digest keeps the tag alone.
struct Reference {
  std::string registry;  // empty: none is written
  std::string repository;
  std::string tag;
  std::string digest;

  // False: not a reference.
  static bool parse(std::string_view text, Reference& out);
  std::string to_string() const;

  const std::string& tag_or_digest() const { return tag.empty() ? digest : tag; }
  // Whichever of the two `text` looks like; the other is cleared. Neither: nothing changes.
  void set_tag_or_digest(std::string_view text);
};

}  // namespace flotilla::plugins::image
