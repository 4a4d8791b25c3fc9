// SPDX-License-Identifier: Apache-2.0
// fuzz_NAME CORPUS [SECONDS]: runs every example, then mutations of them with a fixed seed, so that a failure
// here is the same failure everywhere. What makes the target crash is left in a file and named.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

constexpr int kMutations = 10'000;
constexpr std::size_t kLargest = 4096;

std::string g_current;  // for the report

void report(int signal) {
  std::ofstream("crash-input", std::ios::binary) << g_current;
  const char* what = signal == SIGALRM ? "was still busy after ten seconds with" : "crashed on";
  std::fprintf(stderr, "%s %zu bytes, kept in crash-input\n", what, g_current.size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(std::string input) {
  g_current = std::move(input);
  // Exactly as many bytes as there are, so that a sanitizer sees the one behind them.
  std::vector<std::uint8_t> bytes(g_current.begin(), g_current.end());
  ::alarm(10);
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<std::string> read_corpus(const fs::path& folder) {
  std::vector<std::string> examples;
  if (fs::exists(folder)) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      std::ifstream in(file, std::ios::binary);
      examples.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
  }
  if (examples.empty()) examples.emplace_back("{}");
  return examples;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& examples) : examples_(examples) {}

  std::string next() {
    std::string text = any();
    for (auto steps = 1 + random_() % 6; steps > 0; --steps) change(text);
    if (text.size() > kLargest) text.resize(kLargest);
    return text;
  }

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  const std::string& any() { return examples_[below(examples_.size())]; }

  void change(std::string& text) {
    static constexpr const char* kTokens[] = {
        "{",   "}",      "[",   "]",    "\"",       ":",  ",",  "\\",   "\0",       "-", "null",
        "1e9", "../",    "%2F", "\xff", "\xc3\x28", "=",  "!=", " in ", "(",        "~", "&",
        "*",   "$patch", "- ",  "\n",   "  ",       "\t", "0x", "\x80", "\r\n\r\n", "//"};
    const std::size_t at = below(text.size() + 1);
    switch (random_() % 7) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random_());
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        text.erase(at, below(16));
        break;
      case 3:
        text.insert(at, kTokens[below(std::size(kTokens))]);
        break;
      case 4: {
        const std::string piece = text.substr(at, below(64));
        text.insert(below(text.size() + 1), piece);
        break;
      }
      case 5: {
        const std::string& other = any();
        const std::size_t from = below(other.size() + 1);
        text.insert(at, other.substr(from, below(128)));
        break;
      }
      default:
        text.resize(at);
        break;
    }
  }

  const std::vector<std::string>& examples_;
  std::mt19937 random_{20240607};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS [MUTATIONS]\n", argv[0]);
    return 64;
  }
  std::signal(SIGSEGV, report);
  std::signal(SIGABRT, report);
  std::signal(SIGALRM, report);
  const int mutations = argc > 2 ? std::atoi(argv[2]) : kMutations;
  const std::vector<std::string> examples = read_corpus(argv[1]);
  run("");
  for (const std::string& example : examples) run(example);
  Mutator mutator(examples);
  for (int i = 0; i < mutations; ++i) run(mutator.next());
  std::printf("%zu examples, %d mutations\n", examples.size(), mutations);
  return 0;
}
