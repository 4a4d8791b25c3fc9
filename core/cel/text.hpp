// SPDX-License-Identifier: Apache-2.0
// Texts as Go counts, cuts and prints them. Internal to core/cel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/cel/type.hpp"
#include "core/cel/value.hpp"

namespace flotilla::cel {

// What this thread has done that costs do not show: comparing deep trees, counting and copying long texts.
// cel-go's costs take these for one step each, so an evaluation has a bound of its own on them
// (evaluate.cpp).
void note_work(std::uint64_t units);
std::uint64_t work_noted();

// UTF-8 code points.
std::uint64_t count_characters(std::string_view text);
// The bytes of the character at `at`, which is below text.size().
std::size_t character_length(std::string_view text, std::size_t at);
std::vector<std::string_view> split_characters(std::string_view text);
void append_character(std::string& out, std::uint32_t code_point);
bool is_utf8(std::string_view text);

// Go's %g of the shortest digits; %f of them (no exponent); with a fixed precision; in scientific form.
std::string double_text(double value);
std::string plain_double_text(double value);
std::string fixed_text(double value, int precision);
std::string scientific_text(double value, int precision);

std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

// "int", "list", "net.IP": what type() yields and == compares.
std::string_view type_name_of(const Type& type);
bool same_list_keys(const Value& a, const Value& b, const std::vector<std::string>& keys);

// Errors of evaluation.
Error evaluation_error(std::string message);
Error no_such_overload(std::string_view function, std::initializer_list<const Value*> arguments);

}  // namespace flotilla::cel
