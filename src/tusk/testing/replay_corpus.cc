// The main function of a fuzzer in a build without libFuzzer: runs every file of the folders, or
// the files, that are named. Fails if there is none.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#ifdef __SANITIZE_ADDRESS__
// As `make fuzz` has it: no single allocation above 128 MiB.
extern "C" void __sanitizer_malloc_hook(const volatile void* /*block*/, size_t size) {
  if (size <= size_t{128} << 20) return;
  std::fprintf(stderr, "%zu bytes are allocated at once\n", size);
  std::abort();
}
#endif

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    if (!std::filesystem::is_directory(argv[i], error)) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    // Named before it runs: what it does may end the process.
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    if (!in) return 1;
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    if (LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) != 0) {
      std::printf("is not for this fuzzer\n");
      return 1;
    }
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
