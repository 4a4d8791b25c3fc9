// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/member_questions.hpp"

#include "core/async/together.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/kinds.hpp"

namespace flotilla::controllers {
namespace {

constexpr std::size_t kAtOnce = 32;

struct Exchange {
  std::vector<MemberQuestion> questions;
  std::vector<MemberAnswer> answers;
};

Task<MemberAnswer> ask_for(std::shared_ptr<cluster::Member> member, api::Gvr resource,
                           cluster::ListSelector selector, std::string name, bool whole) {
  if (name.empty() && !whole) {
    auto listing = member->connection().list(std::move(resource), std::move(selector));
    Result<cluster::MemberList> listed = co_await std::move(listing);
    if (!listed) co_return std::move(listed).error();
    co_return std::move(listed->objects);
  }
  auto getting = member->connection().get(std::move(resource), std::move(selector.ns), std::move(name));
  Result<api::Json> got = co_await std::move(getting);
  if (!got) co_return std::move(got).error();
  std::vector<api::Json> objects;
  objects.push_back(*std::move(got));
  co_return objects;
}

Task<void> ask(std::shared_ptr<Exchange> exchange, std::size_t index) {
  const MemberQuestion question = exchange->questions[index];
  for (const api::Gvr& resource : question.resources) {
    auto asking = ask_for(question.member, resource, question.selector, question.name, question.whole);
    exchange->answers[index] = co_await std::move(asking);
    const MemberAnswer& answer = exchange->answers[index];
    if (answer || !answer.error().is(Code::NotFound)) break;
  }
}

}  // namespace

std::vector<std::shared_ptr<cluster::Member>> ready_members(const store::Store& store,
                                                            const cluster::ClusterRegistry& clusters) {
  std::vector<std::shared_ptr<cluster::Member>> found;
  for (const api::ObjectPtr& cluster : store.list(kinds::kCluster.collection()).objects) {
    auto member = clusters.find(cluster->name());
    if (member && is_ready(*cluster->content())) found.push_back(std::move(member));
  }
  return found;
}

Task<std::vector<MemberAnswer>> ask_members(std::vector<MemberQuestion> questions) {
  auto exchange = std::make_shared<Exchange>();
  exchange->questions = std::move(questions);
  exchange->answers.assign(exchange->questions.size(), Error(Code::Cancelled, "not asked"));
  std::vector<Task<void>> work;
  for (std::size_t i = 0; i < exchange->questions.size(); ++i) work.push_back(ask(exchange, i));
  auto asking = run_together(std::move(work), kAtOnce);
  co_await std::move(asking);
  co_return std::move(exchange->answers);
}

}  // namespace flotilla::controllers
