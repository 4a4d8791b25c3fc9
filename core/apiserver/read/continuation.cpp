// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/read/continuation.hpp"

#include <algorithm>

#include "core/api/patch/patch.hpp"
#include "core/apiserver/errors.hpp"
#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

using api::Json;

constexpr std::size_t kMaxToken = 4096;

// A key that stays where it is when path elements like ".." are resolved.
bool is_clean_path(std::string_view key) {
  if (key.starts_with('/')) key.remove_prefix(1);
  for (;;) {
    const auto slash = key.find('/');
    const std::string_view element = key.substr(0, slash);
    if (element.empty() || element == "." || element == "..") return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string encode_continuation(std::int64_t revision, const api::ObjectKey& last) {
  std::string start = last.text();
  start += '\0';
  return base64url_encode(Json::object({{"v", "meta.k8s.io/v1"}, {"rv", revision}, {"start", start}}).dump());
}

Result<Continuation> decode_continuation(std::string_view token, bool namespaced) {
  const auto refuse = [](std::string_view why) {
    return Error(Code::BadRequest, "invalid continue token: continue key is not valid: " + std::string(why));
  };
  std::size_t bad_at = 0;
  const auto text = base64url_decode(token, &bad_at);
  if (!text) return refuse("illegal base64 data at input byte " + std::to_string(bad_at));
  if (text->size() > kMaxToken) return refuse("token is too long");
  const auto json = Json::parse(*text);
  if (!json || !json->is_object()) return refuse(api::go_json_error(*text));
  const std::string_view encoding = (*json)["v"].as_string();
  if (encoding != "meta.k8s.io/v1")
    return refuse("server does not recognize this encoded version " + quoted(encoding));
  Continuation out;
  out.revision = (*json)["rv"].as_int();
  if (out.revision == 0) return refuse("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  std::string start((*json)["start"].as_string());
  if (start.empty()) return refuse("encoded start key empty (version meta.k8s.io/v1)");
  if (!is_clean_path(start)) return refuse(start);
  if (start.back() == '\0') start.pop_back();
  const auto slash = start.find('/');
  if (namespaced && slash != std::string::npos) {
    out.after = {start.substr(0, slash), start.substr(slash + 1)};
  } else {
    out.after = {"", start};
  }
  return out;
}

Error compacted_page(const Continuation& from, std::string& token_out) {
  token_out = base64url_encode(
      Json::object({{"v", "meta.k8s.io/v1"}, {"rv", -1}, {"start", from.after.text() + std::string(1, '\0')}})
          .dump());
  return Error(
      Code::Gone,
      "The provided continue parameter is too old to display a consistent list result. You can start a new "
      "list without the continue parameter, or use the continue token in this response to retrieve the "
      "remainder of the results. Continuing with the provided token results in an inconsistent list - "
      "objects "
      "that were created, modified, or deleted between the time the first chunk was returned and now may "
      "show "
      "up in the list.");
}

}  // namespace flotilla::apiserver
