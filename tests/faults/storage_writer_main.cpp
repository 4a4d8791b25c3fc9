// SPDX-License-Identifier: Apache-2.0
// storage_writer FOLDER SEED: writes without end and tells every answer on standard output, until it is
// killed. One line per answered write, "put NAME VALUE REVISION" or "del NAME - REVISION", and before a
// delete "try NAME - 0".
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/faults/sqlite_stage.hpp"

namespace {

using namespace flotilla;

constexpr int kWriters = 12;
constexpr int kKeysEach = 20;

// One write(2) per line: what arrived was answered, whenever the kill comes.
void tell(const char* what, const std::string& name, const std::string& value, Revision revision) {
  const std::string line =
      std::string(what) + " " + name + " " + value + " " + std::to_string(revision.get()) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(1);
}

// Each writer has keys of its own, so what it was told last about a key is what must be there.
Task<void> write_for_ever(store::Store* store, int writer, std::uint64_t seed) {
  std::mt19937_64 random(seed * 1000 + static_cast<std::uint64_t>(writer));
  for (;;) {
    const std::string name = "w" + std::to_string(writer) + "-" + std::to_string(random() % kKeysEach);
    const std::string value = std::to_string(random());
    const auto durability = store::Durability::Wait;
    if (!store->get(faults::kThings, "faults", name)) {
      auto creating = store->create(faults::kThings, faults::thing(name, value), durability);
      const auto made = co_await std::move(creating);
      if (made) tell("put", name, value, (*made)->revision());
    } else if (random() % 4 == 0) {
      tell("try", name, "-", Revision());
      auto removing = store->remove(faults::kThings, {"faults", name}, Revision(), durability);
      const auto gone = co_await std::move(removing);
      if (gone) tell("del", name, "-", (*gone)->revision());
    } else {
      auto updating = store->update(faults::kThings, faults::thing(name, value), Revision(), durability);
      const auto made = co_await std::move(updating);
      if (made) tell("put", name, value, (*made)->revision());
    }
    // Derived writes lie between; nobody is told of them.
    auto derived = store->update(faults::kThings, faults::thing("derived", value), Revision(),
                                 store::Durability::Derived);
    static_cast<void>(co_await std::move(derived));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  faults::SqliteStage stage(argv[1]);
  if (Status opened = stage.open(); !opened) {
    std::fprintf(stderr, "%s\n", opened.error().message().c_str());
    return 1;
  }
  static_cast<void>(stage.run(
      stage.store().create(faults::kThings, faults::thing("derived", "0"), store::Durability::Wait)));
  for (int writer = 0; writer < kWriters; ++writer)
    stage.spawn(write_for_ever(&stage.store(), writer, std::strtoull(argv[2], nullptr, 10)));
  stage.join();
}
