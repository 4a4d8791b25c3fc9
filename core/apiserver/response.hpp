// SPDX-License-Identifier: Apache-2.0
// Answers: headers that every one has, bodies in the encoding that was negotiated.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/apiserver/call.hpp"

namespace flotilla::apiserver {

http::Response text_response(int status, std::string body,
                             std::string_view content_type = "text/plain; charset=utf-8");
// "404 page not found": no handler owns the path.
http::Response page_not_found();
// In the call's encoding.
http::Response json_response(const Call& call, int status, const Json& body);
http::Response error_response(const Call& call, const Error& error, std::string_view continue_token = {});
// The Status of an object that was deleted.
Json success_status(const Call& call, std::string_view name, std::string_view uid);
// An object's own bytes as JSON.
http::Response bytes_response(const Call& call, int status, const ObjectPtr& object);
// Warning headers, Audit-Id and Cache-Control; called once, last.
void finish_headers(const Call& call, http::Response& response);

}  // namespace flotilla::apiserver
