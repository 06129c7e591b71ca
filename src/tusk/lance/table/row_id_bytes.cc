#include "tusk/lance/row_id_bytes.h"

#include "tusk/lance/table/row_ids.h"

namespace tusk::lance {

std::string EncodeRowIds(std::span<const uint64_t> ids) { return SerializeRowIds(ids); }

std::string EncodeRowIdRange(uint64_t first, uint64_t count) {
  return SerializeRowIdRange(first, count);
}

Result<int64_t> CountRowIds(std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(const RowIdSequence sequence, RowIdSequence::Parse(bytes));
  return sequence.length();
}

Result<std::vector<uint64_t>> DecodeRowIds(std::string_view bytes) {
  constexpr int64_t kMost = int64_t{1} << 32;  // offsets of rows have 32 bits
  ARROW_ASSIGN_OR_RAISE(const RowIdSequence sequence, RowIdSequence::Parse(bytes));
  if (sequence.length() > kMost) {
    return InvalidArgument("a sequence of ", sequence.length(),
                           " row ids is longer than the rows of a fragment can be");
  }
  std::vector<uint64_t> ids(sequence.length());
  sequence.Fill(0, ids);
  return ids;
}

}  // namespace tusk::lance
