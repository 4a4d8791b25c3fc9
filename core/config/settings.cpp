// SPDX-License-Identifier: Apache-2.0
#include "core/config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>

#include "core/api/quantity.hpp"
#include "core/config/setting_fields.hpp"
#include "core/config/yaml.hpp"

namespace flotilla::config {
namespace {

using api::Json;

using Fault = std::optional<std::string>;

std::string text_of(const Json& value) {
  return value.is_string() ? std::string(value.as_string()) : value.dump();
}

Fault put_int(const Json& value, std::int64_t least, std::int64_t most, std::int64_t& into) {
  if (!value.is_int() || value.as_int() < least || value.as_int() > most) {
    return fmt::format("must be a whole number from {} to {}, not {}", least, most, value.dump());
  }
  into = value.as_int();
  return {};
}

// Writes the value to its place, or says what is wrong with it.
struct Put {
  Settings& settings;
  const Json& value;

  Fault operator()(const TextField& field) const {
    if (value.is_object() || value.is_array() || value.is_null()) return "must be a text";
    const std::string text = text_of(value);
    if (!field.words.empty() &&
        std::find(field.words.begin(), field.words.end(), text) == field.words.end()) {
      return fmt::format("must be one of {}, not \"{}\"", fmt::join(field.words, ", "), text);
    }
    field.at(settings) = text;
    return {};
  }
  Fault operator()(const QuantityField& field) const {
    const std::string text = text_of(value);
    if (!api::Quantity::parse(text))
      return fmt::format("must be a quantity like 500m, 2 or 4Gi, not \"{}\"", text);
    field.at(settings) = text;
    return {};
  }
  Fault operator()(const ListenField& field) const {
    const auto parsed = parse_listen(text_of(value));
    if (!parsed) return parsed.error().message();
    field.at(settings) = text_of(value);
    return {};
  }
  Fault operator()(const IntField& field) const {
    return put_int(value, field.least, field.most, field.at(settings));
  }
  Fault operator()(const SmallIntField& field) const {
    std::int64_t wide = 0;
    if (Fault fault = put_int(value, field.least, field.most, wide)) return fault;
    field.at(settings) = static_cast<int>(wide);
    return {};
  }
  Fault operator()(const SeedField& field) const {
    std::int64_t wide = 0;
    if (Fault fault = put_int(value, 0, INT64_MAX, wide)) return fault;
    field.at(settings) = static_cast<std::uint64_t>(wide);
    return {};
  }
  Fault operator()(const ShareField& field) const {
    if (!value.is_number() || value.as_double() < 0 || value.as_double() > 1)
      return "must be a number from 0 to 1";
    field.at(settings) = value.as_double();
    return {};
  }
  Fault operator()(const NumberField& field) const {
    if (!value.is_number() || value.as_double() < 0) return "must be a number, 0 or more";
    field.at(settings) = value.as_double();
    return {};
  }
  Fault operator()(const BoolField& field) const {
    if (!value.is_bool()) return fmt::format("must be true or false, not {}", value.dump());
    field.at(settings) = value.as_bool();
    return {};
  }
  Fault operator()(const DurationField& field) const {
    const auto parsed = parse_duration(text_of(value));
    if (!parsed || *parsed < Duration::zero()) {
      return fmt::format("must be a duration like 20ms, 1.5s or 2m, not \"{}\"", text_of(value));
    }
    field.at(settings) = *parsed;
    return {};
  }
  Fault operator()(const TextsField& field) const {
    std::vector<std::string> texts;
    if (value.is_string()) texts.emplace_back(value.as_string());
    for (const Json& element : value.elements()) {
      if (!element.is_string()) return "must be a list of texts";
      texts.emplace_back(element.as_string());
    }
    if (!value.is_string() && !value.is_array()) return "must be a list of texts";
    field.at(settings) = std::move(texts);
    return {};
  }
  Fault operator()(const TreeField& field) const {
    if (!value.is_object()) return "must be a map";
    field.at(settings) = value;
    return {};
  }
};

struct Get {
  Settings& settings;

  Json operator()(const TextField& field) const { return field.at(settings); }
  Json operator()(const QuantityField& field) const { return field.at(settings); }
  Json operator()(const ListenField& field) const { return field.at(settings); }
  Json operator()(const IntField& field) const { return field.at(settings); }
  Json operator()(const SmallIntField& field) const { return field.at(settings); }
  Json operator()(const SeedField& field) const { return field.at(settings); }
  Json operator()(const ShareField& field) const { return field.at(settings); }
  Json operator()(const NumberField& field) const { return field.at(settings); }
  Json operator()(const BoolField& field) const { return field.at(settings); }
  Json operator()(const DurationField& field) const { return format_duration(field.at(settings)); }
  Json operator()(const TextsField& field) const { return Json::strings(field.at(settings)); }
  Json operator()(const TreeField& field) const {
    return field.at(settings).is_null() ? Json::object() : field.at(settings);
  }
};

const Field* find_field(std::string_view key) {
  const auto& all = setting_fields();
  const auto it = std::find_if(all.begin(), all.end(), [&](const Field& field) { return field.key == key; });
  return it == all.end() ? nullptr : &*it;
}

bool is_section(std::string_view key) {
  const std::string prefix = std::string(key) + ".";
  const auto& all = setting_fields();
  return std::any_of(all.begin(), all.end(),
                     [&](const Field& field) { return field.key.starts_with(prefix); });
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view last_word(std::string_view key) {
  return key.substr(key.rfind('.') + 1);
}

std::string unknown_key(std::string_view key) {
  std::string message = fmt::format("unknown key \"{}\"", key);
  const Field* nearest = nullptr;
  std::size_t least = 4;
  for (const Field& field : setting_fields()) {
    const bool other_place = last_word(field.key) == last_word(key);
    const std::size_t distance = other_place ? 1 : edit_distance(key, field.key);
    if (distance >= least) continue;
    least = distance;
    nearest = &field;
  }
  if (nearest != nullptr) return message + fmt::format("; did you mean \"{}\"?", nearest->key);
  return message + "; config/flotilla.yaml lists them all";
}

// Walks the sections down to the fields.
void read_section(const Json& section, const std::string& prefix, Settings& settings,
                  const std::function<void(const std::string& key, const std::string& what)>& fault) {
  for (const auto& [name, value] : section.members()) {
    const std::string key = prefix.empty() ? std::string(name) : prefix + "." + std::string(name);
    if (const Field* field = find_field(key)) {
      if (const Fault wrong = std::visit(Put{settings, value}, field->kind)) fault(key, key + " " + *wrong);
    } else if (!is_section(key)) {
      fault(key, unknown_key(key));
    } else if (value.is_object()) {
      read_section(value, key, settings, fault);
    } else if (!value.is_null()) {
      fault(key, key + " must be a map");
    }
  }
}

}  // namespace

std::string Settings::storage_name() const {
  if (!storage.name.empty()) return storage.name;
  return is_member() ? "memory" : "sqlite";
}

Status read_settings(const std::string& path, Settings& settings) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::Invalid, fmt::format("configuration file {} cannot be read", path));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return read_settings_text(text, path, settings);
}

Status read_settings_text(std::string_view text, std::string_view origin, Settings& settings) {
  Lines lines;
  const Result<Json> document = parse_yaml(text, &lines);
  if (!document) {
    const std::string& message = document.error().message();
    const bool has_line = message.starts_with("line ");
    return Error(Code::Invalid,
                 fmt::format("{}:{}{}", origin, has_line ? "" : " ", has_line ? message.substr(5) : message));
  }
  if (document->is_null()) return {};
  if (!document->is_object())
    return Error(Code::Invalid, fmt::format("{}:1: must be a map of settings", origin));
  std::vector<std::string> faults;
  read_section(*document, "", settings, [&](const std::string& key, const std::string& what) {
    const auto line = lines.find(key);
    faults.push_back(fmt::format("{}:{}: {}", origin, line == lines.end() ? 1 : line->second, what));
  });
  if (faults.empty()) return {};
  return Error(Code::Invalid, fmt::format("{}", fmt::join(faults, "\n")));
}

Status set_setting(std::string_view assignment, Settings& settings) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error(Code::Invalid, fmt::format("--set {}: expected KEY=VALUE", assignment));
  }
  const std::string_view key = assignment.substr(0, equals);
  const std::string_view text = assignment.substr(equals + 1);
  const auto fault = [&](std::string_view what) {
    return Error(Code::Invalid, fmt::format("--set {}: {}", key, what));
  };
  const Field* field = find_field(key);
  // storage.config.cacheMb=3 reaches into a map that is handed on.
  if (field == nullptr && key.starts_with("storage.config.")) {
    Json& tree = settings.storage.config;
    if (!tree.is_object()) tree = Json::object();
    tree.set(key.substr(15), parse_yaml_scalar(text));
    return {};
  }
  if (field == nullptr) return fault(unknown_key(key));
  // A number in a text field is a text: --set data_dir=007.
  const bool wants_text =
      std::holds_alternative<TextField>(field->kind) || std::holds_alternative<QuantityField>(field->kind) ||
      std::holds_alternative<ListenField>(field->kind) || std::holds_alternative<DurationField>(field->kind);
  Json value = wants_text ? Json(text) : parse_yaml_scalar(text);
  if (std::holds_alternative<TextsField>(field->kind) || std::holds_alternative<TreeField>(field->kind)) {
    Result<Json> parsed = parse_yaml(text);
    if (!parsed) return fault(parsed.error().message());
    value = std::move(*parsed);
  }
  if (const Fault wrong = std::visit(Put{settings, value}, field->kind)) return fault(*wrong);
  return {};
}

std::vector<std::string> setting_keys() {
  std::vector<std::string> keys;
  for (const Field& field : setting_fields()) keys.emplace_back(field.key);
  return keys;
}

Json setting_value(std::string_view key, const Settings& settings) {
  const Field* field = find_field(key);
  if (field == nullptr) return {};
  Settings copy = settings;
  return std::visit(Get{copy}, field->kind);
}

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return Error(Code::Invalid,
                 fmt::format("\"{}\" is no address to listen on ({}); write ADDRESS:PORT, port 0 picks one",
                             text, why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse("no port");
  ListenAddress address;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (digits.empty() || failed != std::errc() || end != digits.data() + digits.size())
    return refuse("bad port");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host.empty() ? "0.0.0.0" : std::string(host);
  return address;
}

}  // namespace flotilla::config
