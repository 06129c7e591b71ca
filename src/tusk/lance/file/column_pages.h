#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/file/column_metadata.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {

/// A value that is made at most once and then shared by all threads. Of racing makers the first
/// wins; readers never wait.
template <typename T>
class MadeOnce {
 public:
  MadeOnce() = default;
  MadeOnce(MadeOnce&& other) noexcept : value_(other.value_.exchange(nullptr)) {}
  ~MadeOnce() { delete value_.load(); }

  /// Null until it is made.
  const T* get() const { return value_.load(std::memory_order_acquire); }
  /// False if another one was made before.
  bool Set(std::unique_ptr<const T> value) {
    const T* expected = nullptr;
    if (!value_.compare_exchange_strong(expected, value.get(), std::memory_order_acq_rel)) {
      return false;
    }
    static_cast<void>(value.release());
    return true;
  }

 private:
  std::atomic<const T*> value_{nullptr};
};

/// The pages of one column, ready to be read. Immutable but for the page indices that it gathers.
struct ColumnPages {
  struct Entry {
    int64_t first_row = 0;
    int64_t num_rows = 0;
    size_t number = 0;  ///< in the file, where pages without rows count too
    std::unique_ptr<const Page> page;
    mutable MadeOnce<PageIndex> index;
  };
  std::vector<Entry> entries;
  int64_t num_rows = 0;

  /// The errors of MakePage, with the page's number.
  static Result<std::unique_ptr<const ColumnPages>> Make(const ColumnMetadata& metadata);
  /// The page that holds `row`, which is one of the column's.
  const Entry& Find(int64_t row) const;
};

}  // namespace tusk::lance
