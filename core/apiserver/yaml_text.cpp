// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/yaml_text.hpp"

#include <algorithm>
#include <cctype>

namespace flotilla::apiserver {
namespace {

using api::Json;

constexpr std::string_view kWords[] = {"",    "~", "null", "true", "false", "yes",   "no",    "on",
                                       "off", "y", "n",    ".nan", ".inf",  "-.inf", "+.inf", "<<"};

// Whether a reader would take the plain text for something else than a string.
bool resolves_to_other(std::string_view text) {
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(), [](unsigned char c) { return std::tolower(c); });
  if (std::find(std::begin(kWords), std::end(kWords), low) != std::end(kWords)) return true;
  const std::string_view body = low[0] == '-' || low[0] == '+' ? std::string_view(low).substr(1) : low;
  if (body.empty()) return false;
  if (std::isdigit(static_cast<unsigned char>(body[0])) || body[0] == '.') {
    const bool number = body.find_first_not_of("0123456789._e+-xabcdefo:") == std::string_view::npos &&
                        std::count(body.begin(), body.end(), '.') <= 1 &&
                        body.find_first_of("0123456789") != std::string_view::npos;
    const bool decimal = body.find_first_not_of("0123456789._e+-") == std::string_view::npos && number;
    if (decimal || (number && (body.starts_with("0x") || body.starts_with("0o")))) return true;
    if (body.find_first_not_of("0123456789:") == std::string_view::npos &&
        body.find(':') != std::string_view::npos) {
      return true;
    }
    if (body.size() >= 10 && body[4] == '-' && body[7] == '-') return true;  // a date
  }
  return false;
}

bool plain_allowed(std::string_view text) {
  if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  constexpr std::string_view kIndicators = "#,[]{}&*!|>'\"%@`";
  if (kIndicators.find(text.front()) != std::string_view::npos) return false;
  if ((text.front() == '-' || text.front() == '?' || text.front() == ':') &&
      (text.size() == 1 || text[1] == ' ')) {
    return false;
  }
  if (text.starts_with("---") || text.starts_with("...")) return false;
  return text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos;
}

bool has_special(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void write_string(std::string& out, std::string_view text, int indent) {
  if (resolves_to_other(text)) {
    out += Json(text).dump();
    return;
  }
  const bool lines = text.find('\n') != std::string_view::npos;
  std::string without_newlines(text);
  std::erase(without_newlines, '\n');
  if (lines && !has_special(without_newlines) && text.front() != ' ' && text.front() != '\n') {
    const bool ends = text.back() == '\n';
    const bool keeps = ends && text.size() > 1 && text[text.size() - 2] == '\n';
    out += keeps ? "|+" : ends ? "|" : "|-";
    std::string_view rest = text;
    if (ends) rest.remove_suffix(1);
    for (;;) {
      const auto end = rest.find('\n');
      out += '\n';
      const std::string_view line = rest.substr(0, end);
      if (!line.empty()) out.append(static_cast<std::size_t>(indent), ' ') += line;
      if (end == std::string_view::npos) return;
      rest.remove_prefix(end + 1);
    }
  }
  if (lines || has_special(text)) {
    out += Json(text).dump();
  } else if (plain_allowed(text)) {
    out += text;
  } else {
    out += '\'';
    for (const char c : text) {
      if (c == '\'') out += '\'';
      out += c;
    }
    out += '\'';
  }
}

void write(std::string& out, const Json& value, int indent, bool after_dash);

void write_scalar(std::string& out, const Json& value, int indent) {
  if (value.is_string()) return write_string(out, value.as_string(), indent);
  if (value.is_object()) {
    out += "{}";
  } else if (value.is_array()) {
    out += "[]";
  } else {
    value.append_to(out);
  }
}

void write_member(std::string& out, std::string_view key, const Json& value, int indent) {
  write_string(out, key, indent);
  out += ':';
  if (value.empty()) {
    out += ' ';
    write_scalar(out, value, indent + 2);
    out += '\n';
    return;
  }
  out += '\n';
  write(out, value, value.is_array() ? indent : indent + 2, false);
}

// `after_dash`: the first line's indentation is already there.
void write(std::string& out, const Json& value, int indent, bool after_dash) {
  if (value.empty()) {
    write_scalar(out, value, indent);
    out += '\n';
    return;
  }
  bool placed = after_dash;
  const auto place = [&] {
    if (!placed) out.append(static_cast<std::size_t>(indent), ' ');
    placed = false;
  };
  if (value.is_object()) {
    for (const auto& [key, member] : value.members()) {
      place();
      write_member(out, key, member, indent);
    }
    return;
  }
  for (const Json& element : value.elements()) {
    place();
    out += "- ";
    write(out, element, indent + 2, true);
  }
}

}  // namespace

std::string yaml_text(const Json& value) {
  std::string out;
  write(out, value, 0, false);
  return out;
}

}  // namespace flotilla::apiserver
