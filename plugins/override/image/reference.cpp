// SPDX-License-Identifier: Apache-2.0
#include "reference.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace flotilla::plugins::image {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <typename Predicate>
bool all(std::string_view text, Predicate holds) {
  return std::all_of(text.begin(), text.end(), holds);
}

// Calls `part` on what stands between the separators; false as soon as one is.
template <typename Part>
bool each_part(std::string_view text, char separator, Part part) {
  while (true) {
    const std::string_view head = text.substr(0, text.find(separator));
    if (!part(head)) return false;
    if (head.size() == text.size()) return true;
    text.remove_prefix(head.size() + 1);
  }
}

// [\w][\w.-]{0,127}
bool is_tag(std::string_view text) {
  const auto word = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !text.empty() && text.size() <= 128 && word(text[0]) &&
         all(text, [&](char c) { return word(c) || c == '.' || c == '-'; });
}

// letters and digits, in parts that start with a letter, joined by one of -_+.
bool is_algorithm(std::string_view text) {
  bool at_start = true;
  for (const char c : text) {
    if (at_start ? !is_letter(c)
                 : !is_letter(c) && !is_digit(c) && (c != '-' && c != '_' && c != '+' && c != '.'))
      return false;
    at_start = !is_letter(c) && !is_digit(c);
  }
  return !at_start;
}

bool is_digest(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_algorithm(text.substr(0, colon))) return false;
  const std::string_view hex = text.substr(colon + 1);
  return hex.size() >= 32 && all(hex, is_hex);
}

// A digest whose algorithm is known, with as many lower case digits as that demands.
bool is_verifiable(std::string_view digest) {
  static constexpr std::array<std::pair<std::string_view, std::size_t>, 3> kAlgorithms = {
      {{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}}};
  return std::any_of(kAlgorithms.begin(), kAlgorithms.end(), [&](const auto& known) {
    if (!digest.starts_with(known.first)) return false;
    const std::string_view hex = digest.substr(known.first.size());
    return hex.size() == known.second &&
           all(hex, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  });
}

// Runs of lower case letters and digits, joined by one dot, one or two underscores, or any number of hyphens.
bool is_path_component(std::string_view text) {
  const auto plain = [](char c) { return is_lower(c) || is_digit(c); };
  if (text.empty() || !plain(text.front()) || !plain(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (plain(text[i])) {
      ++i;
      continue;
    }
    const char separator = text[i];
    std::size_t length = 0;
    while (text[i + length] == separator) ++length;  // ends before the last, which is plain
    const std::size_t most = separator == '.' ? 1 : separator == '_' ? 2 : separator == '-' ? text.size() : 0;
    if (length > most || !plain(text[i + length])) return false;
    i += length;
  }
  return true;
}

// host[:port]; the host is a domain name, an IPv4 address, or an IPv6 address in brackets.
bool is_domain(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  if (has_port) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || !all(port, is_digit)) return false;
    text = text.substr(0, colon);
  }
  if (text.starts_with('[')) {
    return text.size() > 2 && text.ends_with(']') &&
           all(text.substr(1, text.size() - 2), [](char c) { return is_hex(c) || c == ':'; });
  }
  return each_part(text, '.', [](std::string_view label) {
    const auto plain = [](char c) { return is_letter(c) || is_digit(c); };
    return !label.empty() && plain(label.front()) && plain(label.back()) &&
           all(label, [&](char c) { return plain(c) || c == '-'; });
  });
}

constexpr std::size_t kLongestName = 255;

}  // namespace

bool Reference::parse(std::string_view text, Reference& out) {
  out = {};
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    const std::string_view digest = text.substr(at + 1);
    if (!is_digest(digest) || !is_verifiable(digest)) return false;
    out.digest = digest;
    text = text.substr(0, at);
  }
  const std::size_t last_slash = text.rfind('/');
  const std::size_t colon = text.find(':', last_slash == std::string_view::npos ? 0 : last_slash);
  if (colon != std::string_view::npos) {
    const std::string_view tag = text.substr(colon + 1);
    if (!is_tag(tag)) return false;
    out.tag = tag;
    out.digest.clear();
    text = text.substr(0, colon);
  }
  if (text.size() > kLongestName) return false;
  bool first = last_slash != std::string_view::npos;
  const bool good = each_part(text, '/', [&](std::string_view part) {
    const bool may_be_domain = std::exchange(first, false);
    return is_path_component(part) || (may_be_domain && is_domain(part));
  });
  if (!good) return false;
  const std::string_view head = text.substr(0, text.find('/'));
  const bool names_registry = head.size() < text.size() &&
                              (head.find_first_of(".:") != std::string_view::npos || head == "localhost");
  if (names_registry) out.registry = head;
  out.repository = names_registry ? text.substr(head.size() + 1) : text;
  return true;
}

std::string Reference::to_string() const {
  std::string out = registry.empty() ? repository : registry + "/" + repository;
  if (!tag.empty()) return out + ":" + tag;
  if (!digest.empty()) return out + "@" + digest;
  return out;
}

void Reference::set_tag_or_digest(std::string_view text) {
  if (is_tag(text)) {
    tag = text;
    digest.clear();
  } else if (is_digest(text)) {
    digest = text;
    tag.clear();
  }
}

}  // namespace flotilla::plugins::image
