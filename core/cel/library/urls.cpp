// SPDX-License-Identifier: Apache-2.0
// Kubernetes' url() and isURL(): absolute URLs and absolute paths, as Go's url.ParseRequestURI reads them.
#include <algorithm>
#include <map>

#include "core/cel/functions.hpp"

namespace flotilla::cel {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// %XX resolved; nothing where it is malformed.
std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
        return std::nullopt;
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    }
  }
  return out;
}

bool stays_in_path(char c) {
  const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return plain || std::string_view("-_.~$&+,/:;=@!'()*[]%").find(c) != std::string_view::npos;
}

std::string escaped_path(std::string_view path) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    if (stays_in_path(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

class Url final : public Opaque {
 public:
  // Empty text: `made` is complete.
  static std::string read(std::string_view text, Url& made);

  std::string_view type_name() const override { return "kubernetes.URL"; }
  bool equals(const Opaque& other) const override { return text_ == static_cast<const Url&>(other).text_; }
  std::string text() const override { return text_; }

  std::string scheme, host, path;
  std::vector<std::pair<std::string, std::vector<std::string>>> query;

  std::string hostname() const {
    if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
    return host.substr(0, host.find(':'));
  }
  std::string port() const {
    const std::size_t end = host.find(']');
    const std::size_t colon = host.find(':', end == std::string::npos ? 0 : end);
    return colon == std::string::npos ? std::string() : host.substr(colon + 1);
  }

 private:
  void read_query(std::string_view raw);
  std::string read_authority(std::string_view authority);

  std::string text_;
};

void Url::read_query(std::string_view raw) {
  while (!raw.empty()) {
    const std::size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view pair = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
    const std::size_t equals = pair.find('=');
    const auto key = decoded(pair.substr(0, equals), true);
    const auto value =
        decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!key || !value) continue;
    auto it = std::find_if(query.begin(), query.end(), [&](const auto& one) { return one.first == *key; });
    if (it == query.end()) it = query.insert(query.end(), {*key, {}});
    it->second.push_back(*value);
  }
}

std::string Url::read_authority(std::string_view authority) {
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const std::size_t bracket = authority.rfind(']');
  if (authority.starts_with('[') && bracket == std::string_view::npos) return "missing ']' in host";
  const std::size_t colon = authority.find(':', authority.starts_with('[') ? bracket : 0);
  if (colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return "invalid port \":" + std::string(port) + "\" after host";
  }
  if (authority.find_first_of(" \"<>\\^`{|}") != std::string_view::npos) {
    const char bad = authority[authority.find_first_of(" \"<>\\^`{|}")];
    return std::string("invalid character \"") + bad + "\" in host name";
  }
  const auto name = decoded(authority, false);
  if (!name) return "invalid URL escape";
  host = *name;
  return {};
}

std::string Url::read(std::string_view text, Url& made) {
  made.text_ = text;
  if (text.empty()) return "empty url";
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "net/url: invalid control character in URL";
  std::string_view rest = text;
  const std::size_t colon = rest.find(':');
  const bool named =
      std::isalpha(static_cast<unsigned char>(rest[0])) != 0 && colon != std::string_view::npos &&
      std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(colon), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.';
      });
  if (named) {
    for (const char c : rest.substr(0, colon))
      made.scheme += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    rest.remove_prefix(colon + 1);
  } else if (rest[0] == ':') {
    return "missing protocol scheme";
  }
  if (const std::size_t question = rest.find('?'); question != std::string_view::npos) {
    made.read_query(rest.substr(question + 1));
    rest = rest.substr(0, question);
  }
  if (!rest.starts_with('/')) return "invalid URI for request";
  if ((!made.scheme.empty() || !rest.starts_with("///")) && rest.starts_with("//") && !made.scheme.empty()) {
    rest.remove_prefix(2);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    if (std::string fault = made.read_authority(rest.substr(0, slash)); !fault.empty()) return fault;
    rest.remove_prefix(slash);
  }
  if (!decoded(rest, false)) return "invalid URL escape";
  made.path = escaped_path(rest);
  return {};
}

const Url& url_in(const Arguments& in) {
  return static_cast<const Url&>(*in[0].as_opaque());
}

Result<Value> make_url(const Arguments& in) {
  auto made = std::make_shared<Url>();
  const std::string_view text = in[0].as_string();
  if (const std::string fault = Url::read(text, *made); !fault.empty())
    return evaluation_error("URL parse error during conversion from string: parse \"" + std::string(text) +
                            "\": " + fault);
  return Value::opaque(std::move(made));
}

Result<Value> is_url(const Arguments& in) {
  Url made;
  return Value::boolean(Url::read(in[0].as_string(), made).empty());
}

Result<Value> scheme(const Arguments& in) {
  return Value::string(url_in(in).scheme);
}
Result<Value> host(const Arguments& in) {
  return Value::string(url_in(in).host);
}
Result<Value> hostname(const Arguments& in) {
  return Value::string(url_in(in).hostname());
}
Result<Value> port(const Arguments& in) {
  return Value::string(url_in(in).port());
}
Result<Value> path(const Arguments& in) {
  return Value::string(url_in(in).path);
}
Result<Value> query(const Arguments& in) {
  std::vector<Entry> entries;
  for (const auto& [key, values] : url_in(in).query) {
    std::vector<Value> list;
    for (const std::string& value : values) list.push_back(Value::string(value));
    entries.emplace_back(Value::string(key), Value::list(std::move(list)));
  }
  return Value::map(std::move(entries));
}

constexpr FunctionRow kRows[] = {
    {"url(string): URL", make_url, cost_of_first}, {"isURL(string): bool", is_url, cost_of_first},
    {"URL.getScheme(): string", scheme},           {"URL.getHost(): string", host},
    {"URL.getHostname(): string", hostname},       {"URL.getPort(): string", port},
    {"URL.getEscapedPath(): string", path},        {"URL.getQuery(): map(string, list(string))", query},
};

}  // namespace

std::span<const FunctionRow> url_rows() {
  return kRows;
}

}  // namespace flotilla::cel
