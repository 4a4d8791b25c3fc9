// SPDX-License-Identifier: Apache-2.0
// What extension API servers say in OpenAPI v2 of the group versions that they answer for, ready to stand in
// one document with ours (k8s-api 14).
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

struct ForeignDocument {
  std::vector<std::pair<std::string, Json>> paths, definitions;
};

// The paths below `prefixes` ("/apis/GROUP/VERSION") and the definitions that they reach.
ForeignDocument prune_document(const Json& document, const std::vector<std::string>& prefixes);
// No two definitions of one name: one that is equal to an earlier one is dropped, others get "_v2", "_v3".
void settle_names(std::vector<ForeignDocument>& documents, std::set<std::string, std::less<>> taken);

// Of every backend that is there. `complete` is false when one did not answer.
struct ForeignDocuments {
  std::vector<ForeignDocument> documents;
  bool complete = true;
};
Task<ForeignDocuments> fetch_foreign_documents(ServerPtr server);

}  // namespace flotilla::apiserver
