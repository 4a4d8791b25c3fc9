// SPDX-License-Identifier: Apache-2.0
#include "core/http/url.hpp"

#include <charconv>

#include "core/http/status.hpp"

namespace flotilla::http {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// False at the first broken escape; `out` then holds what came before it.
bool decode_into(std::string_view text, bool plus_is_space, std::string& out) {
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return false;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return true;
}

std::string decode_leniently(std::string_view text) {
  std::string out;
  if (decode_into(text, true, out)) return out;
  return std::string(text);
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

Error bad_url(std::string_view text, std::string_view why) {
  return Error(Code::Invalid, "\"" + std::string(text) + "\" is no URL: " + std::string(why));
}

// "host", "host:1", "[::1]:2".
Status read_authority(std::string_view authority, std::string_view text, Url& url) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return bad_url(text, "']' is missing");
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const std::size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon);
  }
  if (url.host.empty()) return bad_url(text, "the host is missing");
  url.port = url.is_tls() ? 443 : 80;
  if (port.empty()) return {};
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc() || end != port.data() + port.size() || url.port == 0) {
    return bad_url(text, "the port must be a number between 1 and 65535");
  }
  return {};
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  if (!decode_into(text, plus_is_space, out)) {
    return bad_request("invalid URL escape in \"" + std::string(text) + "\"");
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

Query Query::parse(std::string_view raw) {
  Query query;
  while (!raw.empty()) {
    const std::size_t end = raw.find('&');
    const std::string_view pair = raw.substr(0, end);
    raw = end == std::string_view::npos ? std::string_view() : raw.substr(end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::string value;
    if (equals != std::string_view::npos) value = decode_leniently(pair.substr(equals + 1));
    query.add(decode_leniently(pair.substr(0, equals)), std::move(value));
  }
  return query;
}

const std::string* Query::find(std::string_view key) const {
  for (const auto& [name, value] : pairs_) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string_view Query::get(std::string_view key, std::string_view otherwise) const {
  const std::string* value = find(key);
  return value == nullptr ? otherwise : std::string_view(*value);
}

std::vector<std::string_view> Query::all(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const auto& [name, value] : pairs_) {
    if (name == key) values.push_back(value);
  }
  return values;
}

bool Query::flag(std::string_view key) const {
  const std::string* value = find(key);
  if (value == nullptr) return false;
  return *value != "0" && !same_name(*value, "false");
}

std::string Query::text() const {
  std::string out;
  for (const auto& [key, value] : pairs_) {
    if (!out.empty()) out += '&';
    out += percent_encode(key);
    out += '=';
    out += percent_encode(value);
  }
  return out;
}

Result<std::vector<std::string>> path_segments(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    const std::string_view segment = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
    if (segment.empty()) continue;
    auto decoded = percent_decode(segment);
    if (!decoded) return std::move(decoded).error();
    segments.push_back(*std::move(decoded));
  }
  return segments;
}

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (is_tls() ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

Result<Url> Url::parse(std::string_view text) {
  Url url;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return bad_url(text, "it must start with https://");
  url.scheme = text.substr(0, scheme_end);
  if (url.scheme != "https" && url.scheme != "http") return bad_url(text, "it must start with https://");
  std::string_view rest = text.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t authority_end = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, authority_end);
  rest = authority_end == std::string_view::npos ? std::string_view() : rest.substr(authority_end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    const std::size_t colon = login.find(':');
    url.user = decode_leniently(login.substr(0, colon));
    if (colon != std::string_view::npos) url.password = decode_leniently(login.substr(colon + 1));
    authority = authority.substr(at + 1);
  }
  if (Status read = read_authority(authority, text, url); !read) return std::move(read).error();
  const std::size_t question = rest.find('?');
  url.path = rest.substr(0, question);
  if (question != std::string_view::npos) url.query = rest.substr(question + 1);
  while (url.path.ends_with('/')) url.path.pop_back();
  return url;
}

Result<Url> Url::parse_proxy(std::string_view text) {
  constexpr std::string_view kSocks = "socks5://";
  if (!text.starts_with(kSocks)) return parse(text);
  std::string_view authority = text.substr(kSocks.size());
  authority = authority.substr(0, authority.find_first_of("/?#"));
  const std::string_view host = authority.substr(authority.rfind('@') + 1);
  // A colon behind the brackets of an IPv6 address, or the only one.
  const bool has_port =
      host.find(':', host.find(']') == std::string_view::npos ? 0 : host.find(']')) != std::string_view::npos;
  Result<Url> url = parse("http://" + std::string(authority) + (has_port ? "" : ":1080"));
  if (!url) return Error(Code::Invalid, "proxy \"" + std::string(text) + "\": no host and port");
  url->scheme = "socks5";
  return url;
}

std::string join_path(std::string_view prefix, std::string_view target) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  std::string out(prefix);
  if (!target.starts_with('/')) out += '/';
  out += target;
  return out;
}

}  // namespace flotilla::http
