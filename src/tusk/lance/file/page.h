#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/encodings/value_shape.h"
#include "tusk/lance/file/page_layout.h"
#include "tusk/lance/file/structure.h"

namespace tusk::lance {

/// What a read wants of one page: a run of rows, or single ones.
struct PageRequest {
  /// A run: its rows counted from the first of the page, and where the first of them goes.
  RowRange rows;
  int64_t position = 0;
  int32_t first_code = 0;  ///< the number of the page's first item, where codes are asked for
  /// Single rows, ascending, with numbers as in the column; the page's first has `first_row`.
  std::span<const TakenRow> taken;
  int64_t first_row = 0;

  bool is_take() const { return !taken.empty(); }
};

/// Bytes of the file that hold `units` of a page: chunks or rows, as its layout has them.
struct PlannedRead {
  io::ByteRange bytes;
  RowRange units;
};

/// The memory of what an open file keeps beyond the operation that read it.
inline arrow::MemoryPool* KeptPool() { return arrow::default_memory_pool(); }

/// What a page keeps of its own index after the first read, so that later ones need no more I/O.
class PageIndex {
 public:
  virtual ~PageIndex() = default;
};

/// The values of rows whose structure is known, waiting for room that is as large as they need.
class PendingValues {
 public:
  virtual ~PendingValues() = default;
  virtual int64_t num_slots() const = 0;
  /// Decodes all of them to the output from `position` on. Their bytes must stay until
  /// ColumnOutput::Finish, which holds what it needs (see ColumnOutput::Keep).
  virtual Status DecodeInto(int64_t position, ColumnOutput* out) const = 0;
};

/// Rows that stand in the file as in Arrow memory: `width` bytes each, behind `prefix_width` bytes
/// that tell what is null, the first at `begin`.
struct StoredRows {
  int64_t begin = 0;
  int64_t prefix_width = 0;
  int64_t width = 0;
};

/// Values of any width that stand in the file as in Arrow memory, each behind its levels and its
/// length, which null rows do not have.
struct StoredTexts {
  int64_t prefix_width = 0;  ///< of both, at most
  /// With what is in front of them, for each row that is asked for; one behind the other but for
  /// those that are asked for again.
  std::vector<io::ByteRange> rows;
};

/// One page of a column. Immutable and thread-safe. Columns without lists and structs are read by
/// Plan and Decode, straight to their place in the output; others by PlanRuns and Unravel, in the
/// order of the file, since only the levels tell how many values there are.
class Page {
 public:
  explicit Page(std::span<const LevelLayer> layers) : meaning_(layers) {}
  virtual ~Page() = default;
  const LevelMeaning& meaning() const { return meaning_; }

  /// Corrupt if what is stored cannot become values of `shape`.
  virtual Status CheckShape(const ValueShape& shape) const = 0;
  /// Where the parts of the page's index are; none if it has no index.
  virtual std::vector<io::ByteRange> index_ranges() const { return {}; }
  /// Makes the index of those bytes; not called if there are none. Of `pool` is only what is needed
  /// on the way: the index stays with the file when the operation and its pool are gone. Corrupt if
  /// they break its layout.
  virtual Result<std::unique_ptr<const PageIndex>> ParseIndex(
      std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool) const;

  /// Appends what must be read for `request`, ascending. `index` is null if there is none.
  virtual Status Plan(const PageIndex* index, const PageRequest& request,
                      std::vector<PlannedRead>* reads) const = 0;
  /// Decodes into the output; `bytes` are the `reads` that Plan made for the same request.
  virtual Status Decode(const PageIndex* index, const PageRequest& request,
                        std::span<const PlannedRead> reads,
                        std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                        ColumnOutput* out) const = 0;

  /// Where the rows stand, if they do so as in an array of `shape` and can be read right into it.
  virtual std::optional<StoredRows> FindStoredRows(const ValueShape& /*shape*/) const {
    return std::nullopt;
  }
  /// Makes null what the bytes in front of a stored row say; not called if there are none.
  virtual Status PutPrefix(const uint8_t* prefix, int64_t position, ColumnOutput* out) const;

  /// The same for the rows of a take, in an array of values of any width. Corrupt if the index puts
  /// them where none can be.
  virtual Result<std::optional<StoredTexts>> FindStoredTexts(const PageIndex* /*index*/,
                                                             const PageRequest& /*request*/) const {
    return std::nullopt;
  }
  /// Makes null what the bytes in front of a stored text say, or compares its length. Corrupt if it
  /// is another.
  virtual Status PutTextPrefix(std::span<const uint8_t> prefix, int64_t length, int64_t position,
                               ColumnOutput* out) const;

  /// How many values there are of which every row is one, and its place known without decoding it:
  /// the items of a dictionary, or what all rows are. Nothing if rows are not stored so.
  virtual std::optional<int64_t> num_items() const { return std::nullopt; }
  /// The values of `rows`, none of which is null, are whole numbers below 2 to this power, by what
  /// is known without reading them; nothing if that is not known.
  virtual std::optional<int> MostBits(const PageIndex* /*index*/, RowRange /*rows*/) const {
    return std::nullopt;
  }
  /// Decodes these items to the output from `position` on.
  virtual Status DecodeItems(const PageIndex* index, int64_t position, ColumnOutput* out) const;
  /// As Decode for a run of rows, but gives the numbers of their items, as 32-bit words.
  virtual Status DecodeCodes(const PageIndex* index, const PageRequest& request,
                             std::span<const PlannedRead> reads,
                             std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                             ColumnOutput* out) const;

  /// Appends what must be read for `runs` of rows, which ascend and do not touch.
  virtual Status PlanRuns(const PageIndex* index, std::span<const RowRange> runs,
                          std::vector<PlannedRead>* reads) const = 0;
  /// Adds the structure of the rows to `structure` and answers their values. `bytes` are the
  /// `reads` that PlanRuns made for the same runs.
  virtual Result<std::unique_ptr<const PendingValues>> Unravel(
      const PageIndex* index, std::span<const RowRange> runs, std::span<const PlannedRead> reads,
      std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool,
      Structure* structure) const = 0;

 private:
  LevelMeaning meaning_;
};

/// The page of `num_rows` rows that `layout` describes, with its `buffers` in the file. Corrupt if
/// they do not fit together, or the buffers are too small for so many rows; Unsupported, by name,
/// for encodings that are not covered.
Result<std::unique_ptr<const Page>> MakePage(const PageLayout& layout, int64_t num_rows,
                                             std::span<const io::ByteRange> buffers);

using Layers = std::span<const LevelLayer>;
Result<std::unique_ptr<const Page>> MakeMiniBlockPage(const MiniBlockLayout& layout, Layers layers,
                                                      int64_t num_rows,
                                                      std::span<const io::ByteRange> buffers);
Result<std::unique_ptr<const Page>> MakeFullZipPage(const FullZipLayout& layout, Layers layers,
                                                    int64_t num_rows,
                                                    std::span<const io::ByteRange> buffers);
Result<std::unique_ptr<const Page>> MakeConstantPage(const ConstantLayout& layout, Layers layers,
                                                     int64_t num_rows,
                                                     std::span<const io::ByteRange> buffers);
/// How the descriptors of blobs are decoded: as a packed struct of position and size, 64 bits each.
ValueShape BlobDescriptorShape();
Result<std::unique_ptr<const Page>> MakeBlobPage(const BlobLayout& layout, Layers layers,
                                                 int64_t num_rows,
                                                 std::span<const io::ByteRange> buffers);

}  // namespace tusk::lance
