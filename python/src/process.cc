#include "process.h"

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "module.h"

namespace tusk::python {
namespace {

/// What was read through all handles.
class ProcessCounters {
 public:
  void Add(const IoCounters* counters) {
    const std::scoped_lock lock(mutex_);
    live_.insert(counters);
  }
  void Remove(const IoCounters* counters) {
    const std::scoped_lock lock(mutex_);
    live_.erase(counters);
    bytes_ += counters->read_bytes;
    requests_ += counters->read_requests;
  }
  /// Bytes and requests.
  std::pair<int64_t, int64_t> Read() {
    const std::scoped_lock lock(mutex_);
    std::pair<int64_t, int64_t> sum(bytes_, requests_);
    for (const IoCounters* counters : live_) {
      sum.first += counters->read_bytes;
      sum.second += counters->read_requests;
    }
    return sum;
  }

 private:
  std::mutex mutex_;
  std::set<const IoCounters*> live_;
  int64_t bytes_ = 0;
  int64_t requests_ = 0;
};

ProcessCounters& Process() {
  // Handles may outlive every static object.
  static auto* counters = new ProcessCounters;
  return *counters;
}

/// The vector instructions that the processor has, of those that matter here.
std::vector<std::string> VectorInstructions() {
  std::vector<std::string> names;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const auto add = [&](const char* name, bool is_there) {
    if (is_there) names.emplace_back(name);
  };
  add("sse2", __builtin_cpu_supports("sse2") != 0);
  add("sse3", __builtin_cpu_supports("sse3") != 0);
  add("ssse3", __builtin_cpu_supports("ssse3") != 0);
  add("sse4.1", __builtin_cpu_supports("sse4.1") != 0);
  add("sse4.2", __builtin_cpu_supports("sse4.2") != 0);
  add("popcnt", __builtin_cpu_supports("popcnt") != 0);
  add("avx", __builtin_cpu_supports("avx") != 0);
  add("avx2", __builtin_cpu_supports("avx2") != 0);
  add("fma", __builtin_cpu_supports("fma") != 0);
  add("f16c", __builtin_cpu_supports("f16c") != 0);
  add("bmi1", __builtin_cpu_supports("bmi") != 0);
  add("bmi2", __builtin_cpu_supports("bmi2") != 0);
  add("avx512f", __builtin_cpu_supports("avx512f") != 0);
  add("avx512bw", __builtin_cpu_supports("avx512bw") != 0);
  add("avx512cd", __builtin_cpu_supports("avx512cd") != 0);
  add("avx512dq", __builtin_cpu_supports("avx512dq") != 0);
  add("avx512vl", __builtin_cpu_supports("avx512vl") != 0);
#elif defined(__aarch64__)
  names.emplace_back("neon");
#endif
  return names;
}

}  // namespace

std::shared_ptr<IoCounters> MakeCounters() {
  auto* counters = new IoCounters;
  Process().Add(counters);
  return {counters, [](const IoCounters* done) {
            Process().Remove(done);
            delete done;
          }};
}

void BindProcess(nanobind::module_& module) {
  module.def("process_reads", [] { return Process().Read(); });
  module.def("vector_instructions", &VectorInstructions);
}

}  // namespace tusk::python
