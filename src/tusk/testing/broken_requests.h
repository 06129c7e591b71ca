#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tusk/io/object_store.h"
#include "tusk/testing/faulty_store.h"

namespace tusk {

/// How the requests of an operation break: one of them, or all from one on.
struct Breakage {
  StoreFault fault = StoreFault::kRefuse;
  bool and_all_after = false;
};

/// Does an operation again and again, each time on a fresh table from `make_table`, and breaks its
/// first request, then its second, and so on, until there is none left to break. `work` does the
/// operation on `broken`, then looks at what came of it in `table`, which is the same on the store
/// behind, which works. Gives how many requests there were.
inline int64_t BreakEveryRequest(
    const Breakage& breakage, const std::function<io::StorePath()>& make_table,
    const std::function<void(const io::StorePath& broken, const io::StorePath& table)>& work) {
  // More requests than any operation of a test makes; a walk that gets here would never end.
  constexpr int64_t kTooMany = 1000;
  for (int64_t n = 0; n < kTooMany; ++n) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, "request " + std::to_string(n));
    const io::StorePath table = make_table();
    const auto broken = std::make_shared<FaultyStore>(table.store);
    broken->BreakRequest(n, breakage.fault, breakage.and_all_after);
    work({.store = broken, .path = table.path}, table);
    if (!broken->has_failed() || testing::Test::HasFatalFailure()) return n;
  }
  ADD_FAILURE() << "more than " << kTooMany << " requests";
  return kTooMany;
}

}  // namespace tusk
