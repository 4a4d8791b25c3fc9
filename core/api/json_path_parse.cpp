// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <utility>

#include "core/api/json_path.hpp"

namespace flotilla::api {

namespace {

using Step = JsonPath::Step;
using Steps = JsonPath::Steps;
using Kind = JsonPath::Step::Kind;

constexpr int kMaxDepth = 64;

Step step(Kind kind, std::string text = {}) {
  Step made{.kind = kind};
  made.text = std::move(text);
  return made;
}

std::string_view trim(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<std::int64_t> to_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
}

std::string unquote(std::string_view text) {
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] != '\\' || i + 2 >= text.size()) {
      out += text[i];
      continue;
    }
    char escaped = text[++i];
    out += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped;
  }
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  // Text and actions up to the end, or up to {end} within a range.
  Result<Steps> parse_template(int depth) {
    if (depth > kMaxDepth) return bad_request("nested too deeply");
    Steps steps;
    while (!rest_.empty()) {
      auto brace = rest_.find('{');
      if (brace != 0) steps.push_back(step(Kind::Text, std::string(rest_.substr(0, brace))));
      if (brace == std::string_view::npos) {
        rest_ = {};
        break;
      }
      rest_.remove_prefix(brace + 1);
      Result<std::string_view> action = take_until('}', "unclosed action");
      if (!action) return std::move(action).error();
      std::string_view body = trim(*action);
      if (body == "end") {
        if (depth == 0) return bad_request("not in range, nothing to end");
        ended_ = true;
        return steps;
      }
      Result<Step> parsed = parse_action(body, depth);
      if (!parsed) return std::move(parsed).error();
      steps.push_back(std::move(*parsed));
    }
    return steps;
  }

 private:
  Result<Step> parse_action(std::string_view body, int depth) {
    if (is_quoted(body)) return step(Kind::Text, unquote(body));
    if (body != "range" && !body.starts_with("range ")) return parse_path(body, depth);
    Result<Step> path = parse_path(trim(body.substr(5)), depth);
    if (!path) return path;
    ended_ = false;
    Result<Steps> inside = parse_template(depth + 1);
    if (!inside) return std::move(inside).error();
    if (!std::exchange(ended_, false)) return bad_request("unexpected end of range");
    path->kind = Kind::Range;
    path->body = std::move(*inside);
    return path;
  }

  // The text up to `close`, which does not count within quotes and brackets; `close` is consumed.
  Result<std::string_view> take_until(char close, std::string_view complaint) {
    char quote = 0;
    int brackets = 0;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (quote != 0) {
        if (c == '\\') ++i;
        if (c == quote) quote = 0;
      } else if (c == close && brackets == 0) {
        std::string_view taken = rest_.substr(0, i);
        rest_.remove_prefix(i + 1);
        return taken;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '[' || c == '(') {
        ++brackets;
      } else if (c == ']' || c == ')') {
        --brackets;
      }
    }
    return bad_request(std::string(complaint));
  }

  static Result<Step> parse_path(std::string_view text, int depth) {
    if (depth > kMaxDepth) return bad_request("nested too deeply");
    Step path = step(Kind::Path);
    Parser inner(text);
    while (!inner.rest_.empty()) {
      Status parsed = inner.parse_step(path.inner, depth);
      if (!parsed) return std::move(parsed).error();
    }
    return path;
  }

  Status parse_step(Steps& steps, int depth) {
    char c = rest_.front();
    if (c == '@' || c == '$' || c == ' ') {
      rest_.remove_prefix(1);
      return {};
    }
    if (c == '[') return parse_brackets(steps, depth);
    if (c == '*') {
      rest_.remove_prefix(1);
      steps.push_back(step(Kind::Wildcard));
      return {};
    }
    if (rest_.starts_with("..")) {
      rest_.remove_prefix(1);  // the second dot starts the name
      if (rest_.size() == 1) return bad_request("unexpected end after ..");
      if (rest_[1] == '[' || rest_[1] == '*') rest_.remove_prefix(1);
      steps.push_back(step(Kind::Recursive));
      return {};
    }
    if (c != '.') return bad_request("unrecognized identifier " + std::string(rest_));
    rest_.remove_prefix(1);
    if (rest_.starts_with('*') || rest_.starts_with('[') || rest_.empty()) return {};
    steps.push_back(step(Kind::Field, take_name()));
    return {};
  }

  std::string take_name() {
    std::string name;
    std::size_t i = 0;
    for (; i < rest_.size(); ++i) {
      if (std::string_view(" .[]$@{},").find(rest_[i]) != std::string_view::npos) break;
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      name += rest_[i];
    }
    rest_.remove_prefix(i);
    return name;
  }

  Status parse_brackets(Steps& steps, int depth) {
    rest_.remove_prefix(1);
    Result<std::string_view> taken = take_until(']', "unterminated array");
    if (!taken) return std::move(taken).error();
    std::string_view inside = trim(*taken);
    if (inside.starts_with("?(") && inside.ends_with(")")) {
      return parse_filter(steps, trim(inside.substr(2, inside.size() - 3)), depth);
    }
    Parser items(inside);
    std::vector<Step> alternatives;
    while (!items.rest_.empty()) {
      Parser probe = items;
      Result<std::string_view> item = probe.take_until(',', "");
      if (!item) {
        item = items.rest_;
        probe.rest_ = {};
      }
      items = probe;
      Result<Step> parsed = parse_index(trim(*item), depth);
      if (!parsed) return std::move(parsed).error();
      alternatives.push_back(std::move(*parsed));
    }
    if (alternatives.empty()) return bad_request("invalid array index ");
    if (alternatives.size() == 1) {
      steps.push_back(std::move(alternatives.front()));
      return {};
    }
    Step either = step(Kind::Union);
    for (Step& alternative : alternatives) {
      either.inner.push_back(step(Kind::Path));
      either.inner.back().inner.push_back(std::move(alternative));
    }
    steps.push_back(std::move(either));
    return {};
  }

  static Result<Step> parse_index(std::string_view text, int depth) {
    if (text == "*") return step(Kind::Wildcard);
    if (is_quoted(text)) return step(Kind::Field, unquote(text));
    if (text.starts_with('.') || text.starts_with('@')) return parse_path(text, depth + 1);
    Step slice = step(Kind::Slice);
    slice.single = text.find(':') == std::string_view::npos;
    std::optional<std::int64_t>* parts[] = {&slice.from, &slice.to, &slice.by};
    for (auto* part : parts) {
      std::string_view number = text.substr(0, text.find(':'));
      bool is_last = number.size() == text.size();
      if (!number.empty()) {
        *part = to_number(number);
        if (!*part) return bad_request("invalid array index " + std::string(text));
      }
      if (number.empty() && slice.single) return bad_request("invalid array index ");
      if (is_last) return slice;
      text.remove_prefix(number.size() + 1);
    }
    return bad_request("invalid array index " + std::string(text));
  }

  static Status parse_filter(Steps& steps, std::string_view text, int depth) {
    struct Spelling {
      std::string_view text;
      JsonPath::Compare compare;
    };
    static constexpr Spelling kSpellings[] = {
        {"==", JsonPath::Compare::Equal},       {"!=", JsonPath::Compare::NotEqual},
        {"<=", JsonPath::Compare::LessOrEqual}, {">=", JsonPath::Compare::GreaterOrEqual},
        {"<", JsonPath::Compare::Less},         {">", JsonPath::Compare::Greater}};
    Step filter = step(Kind::Filter);
    std::string_view left = text;
    std::string_view right;
    for (const Spelling& spelling : kSpellings) {
      auto at = find_unquoted(text, spelling.text);
      if (at == std::string_view::npos) continue;
      filter.compare = spelling.compare;
      left = trim(text.substr(0, at));
      right = trim(text.substr(at + spelling.text.size()));
      break;
    }
    Result<Step> before = parse_operand(left, depth);
    if (!before) return std::move(before).error();
    filter.inner.push_back(std::move(*before));
    if (filter.compare != JsonPath::Compare::Exists) {
      Result<Step> after = parse_operand(right, depth);
      if (!after) return std::move(after).error();
      filter.body.push_back(std::move(*after));
    }
    steps.push_back(std::move(filter));
    return {};
  }

  static Result<Step> parse_operand(std::string_view text, int depth) {
    Step literal = step(Kind::Literal);
    if (is_quoted(text)) {
      literal.value = Json(unquote(text));
      return literal;
    }
    if (text.starts_with('@') || text.starts_with('.') || text.starts_with('$')) {
      return parse_path(text, depth + 1);
    }
    Result<Json> value = Json::parse(text);  // numbers and booleans
    if (!value) return bad_request("unrecognized value in filter: " + std::string(text));
    literal.value = std::move(*value);
    return literal;
  }

  static std::size_t find_unquoted(std::string_view text, std::string_view wanted) {
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (quote != 0) {
        if (text[i] == '\\') ++i;
        if (i < text.size() && text[i] == quote) quote = 0;
      } else if (text[i] == '"' || text[i] == '\'') {
        quote = text[i];
      } else if (text.substr(i).starts_with(wanted)) {
        return i;
      }
    }
    return std::string_view::npos;
  }

  std::string_view rest_;
  bool ended_ = false;
};

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text, Missing missing) {
  Result<Steps> steps = Parser(text).parse_template(0);
  if (!steps) return std::move(steps).error();
  JsonPath path;
  path.steps_ = std::make_shared<const Steps>(std::move(*steps));
  path.missing_ = missing;
  return path;
}

}  // namespace flotilla::api
