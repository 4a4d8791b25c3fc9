// SPDX-License-Identifier: Apache-2.0
// Where the records of decisions lie beside the objects (store::SideValue): the last twenty of each binding,
// in turns, and the names that they have numbers for.
//
//   decisions/UID/SLOT   UID: the binding's; SLOT: number of the decision modulo twenty
//   names/FROM-TO        the names with these numbers (TO exclusive), one per line. What a key holds never
//                        changes, so it does not matter who writes it when, nor that ranges overlap
//
// How many decisions there were is written on the binding: whoever decides need not read.
#pragma once

#include "core/store/store.hpp"

namespace flotilla::controllers {

// Annotation of a binding: the number of its last decision, from 1 on.
inline constexpr std::string_view kDecisionNumber = "flotilla.io/decision";

inline constexpr std::int64_t kDecisionsKept = 20;
inline constexpr const char* kNamesPrefix = "names/";

// 0: none was recorded.
std::int64_t decision_number(const api::Json& binding);
std::string decisions_prefix(std::string_view binding_uid);
std::string decision_key(std::string_view binding_uid, std::int64_t number);
std::string names_key(std::size_t from, std::size_t to);
// All names by number, from the values below kNamesPrefix. One that is missing is empty.
std::vector<std::string> read_names(const store::SideValues& values);

// StoreOptions::belonging: a binding's records go with it.
store::SideValues records_of(const store::Collection& collection, const api::ObjectPtr& object);

}  // namespace flotilla::controllers
