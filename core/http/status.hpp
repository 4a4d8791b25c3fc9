// SPDX-License-Identifier: Apache-2.0
// Small words of the HTTP/1.1 message head, shared by server and client.
#pragma once

#include <string>
#include <string_view>

namespace flotilla::http {

std::string_view reason_phrase(int status);
bool same_name(std::string_view a, std::string_view b);  // ASCII, without regard to case
// "name: value\r\n"; line breaks in the value become spaces.
void append_field(std::string& out, std::string_view name, std::string_view value);

}  // namespace flotilla::http
