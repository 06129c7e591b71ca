#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"

namespace tusk::lance {

/// The stable row ids of a fragment's rows, by position.
class RowIdSequence {
 public:
  /// Corrupt if the bytes are no sequence or its numbers do not fit together. Memory stays within
  /// a small multiple of `bytes`.
  static Result<RowIdSequence> Parse(std::string_view bytes);

  int64_t length() const { return length_; }
  /// The ids of the rows [begin, begin + out.size()), which must be inside the sequence.
  void Fill(int64_t begin, std::span<uint64_t> out) const;
  /// Tells each of `ids`, which ascend, that is in the sequence, and its position.
  void Find(std::span<const uint64_t> ids,
            const std::function<void(uint64_t id, int64_t position)>& tell) const;

 private:
  /// Rows from `begin` on have the ids `start`, `start` + 1, ... if `ids` is empty, else `ids`.
  struct Run {
    int64_t begin = 0;
    int64_t length = 0;
    uint64_t start = 0;
    std::vector<uint64_t> ids;
  };
  Status AddRange(uint64_t start, uint64_t end);
  Status AddIds(std::vector<uint64_t> ids);
  Status AddLength(uint64_t length);

  std::vector<Run> runs_;
  int64_t length_ = 0;
};

/// The serialized sequence of the ids [start, start + length).
std::string SerializeRowIdRange(uint64_t start, uint64_t length);

/// The serialized sequence of these ids.
std::string SerializeRowIds(std::span<const uint64_t> ids);

/// The serialized sequence `row_ids` with the ids [start, start + length) behind it. Corrupt if it
/// is no sequence.
Result<std::string> AppendRowIdRange(std::string_view row_ids, uint64_t start, uint64_t length);

/// In which version each row of a fragment was made or last changed.
class RowVersions {
 public:
  /// Corrupt if the bytes are no version sequence.
  static Result<RowVersions> Parse(std::string_view bytes);
  std::string Serialize() const;

  /// Adds rows at the end.
  void Append(int64_t rows, uint64_t version);
  /// Adds the rows [begin, end) of `other`, which has them, at the end.
  void AppendRowsOf(const RowVersions& other, int64_t begin, int64_t end);
  int64_t length() const { return runs_.empty() ? 0 : runs_.back().end; }
  /// `row` is below length().
  uint64_t At(int64_t row) const;

 private:
  /// The rows from the end of the run before it on.
  struct Run {
    int64_t end = 0;
    uint64_t version = 0;
  };
  std::vector<Run> runs_;
};

/// The serialized version sequence of `length` rows that all have `version`.
std::string SerializeUniformVersion(uint64_t length, uint64_t version);

}  // namespace tusk::lance
