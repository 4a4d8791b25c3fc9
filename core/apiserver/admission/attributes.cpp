// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/attributes.hpp"

namespace flotilla::apiserver {

std::string_view verb_text(Verb verb) {
  switch (verb) {
    case Verb::Create:
      return "CREATE";
    case Verb::Update:
      return "UPDATE";
    case Verb::Delete:
      return "DELETE";
    case Verb::Connect:
      break;
  }
  return "CONNECT";
}

Json user_info(const UserInfo& user) {
  Json out = Json::object();
  if (!user.name.empty()) out.set("username", user.name);
  if (!user.uid.empty()) out.set("uid", user.uid);
  if (!user.groups.empty()) out.set("groups", Json::strings(user.groups));
  for (const auto& [key, values] : user.extra) out["extra"].set(key, Json::strings(values));
  return out;
}

Error internal_error(const std::string& why) {
  ErrorDetails details;
  details.causes.push_back({"", why, ""});
  return Error(Code::Internal, "Internal error occurred: " + why, std::move(details));
}

}  // namespace flotilla::apiserver
