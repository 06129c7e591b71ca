#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/page_layout.h"

namespace tusk::lance {

/// What the repetition and definition levels of one page stand for. A repetition level counts,
/// from the inside, the lists that begin at an entry; a definition level says at which layer an
/// entry ends without a value, 0 that it has one.
/// Source: docs/format/lance_levels.md.
class LevelMeaning {
 public:
  /// `layers` inner-most first, as a page lists them.
  explicit LevelMeaning(std::span<const LevelLayer> layers);

  size_t num_layers() const { return layers_.size(); }
  /// Number of list layers; an entry with this repetition level begins a row.
  uint16_t max_repetition() const { return max_repetition_; }
  uint16_t max_definition() const { return static_cast<uint16_t>(stops_.size() - 1); }
  /// Entries up to this definition level have a value slot, null or not.
  uint16_t max_visible() const { return max_visible_; }
  /// Whether layer `i` is a list.
  bool IsListLayer(size_t i) const { return IsList(layers_[i]); }

  /// Where an entry ends: at this layer, or with a value if `layer` is -1.
  struct Stop {
    int layer = -1;
    bool is_empty = false;  ///< an empty list, not a null
  };
  const Stop& stop(uint16_t definition) const { return stops_[definition]; }
  /// The outer-most layer in which an entry with this repetition level begins something.
  int first_layer(uint16_t repetition) const { return first_layers_[repetition]; }

 private:
  std::vector<LevelLayer> layers_;
  std::vector<Stop> stops_;        ///< by definition level
  std::vector<int> first_layers_;  ///< by repetition level
  uint16_t max_repetition_ = 0;
  uint16_t max_visible_ = 0;
};

/// Levels of consecutive entries. A null pointer stands for zeros.
struct Levels {
  const uint16_t* repetition = nullptr;
  const uint16_t* definition = nullptr;
  int64_t count = 0;

  Levels Slice(int64_t begin, int64_t length) const {
    return {.repetition = repetition == nullptr ? nullptr : repetition + begin,
            .definition = definition == nullptr ? nullptr : definition + begin,
            .count = length};
  }
  /// Entries that have a value slot.
  int64_t CountVisible(const LevelMeaning& meaning) const;
  /// Entries that begin a row.
  int64_t CountRows(const LevelMeaning& meaning) const;
};

/// The nesting of one column's rows: for each layer which of its items or lists are null and where
/// lists begin, put together from the levels of pages that may describe it in different ways.
class Structure {
 public:
  /// `is_list` of each layer, inner-most first.
  Structure(const std::vector<bool>& is_list, arrow::MemoryPool* pool);
  Structure(Structure&&) noexcept;
  ~Structure();

  size_t num_layers() const;
  /// Value slots so far: length of the inner-most layer.
  int64_t num_slots() const;
  /// Items or lists of the outer-most layer.
  int64_t num_rows() const;

  /// Corrupt if the layers of a page are not those of the column.
  Status CheckMeaning(const LevelMeaning& meaning) const;
  /// Adds entries, the first of which may go on with a list that was begun before. Corrupt for
  /// levels beyond the meaning's, or that contradict each other.
  Status Append(const LevelMeaning& meaning, const Levels& levels);
  /// Adds `count` entries of one definition level, of a page without lists.
  Status AppendSame(const LevelMeaning& meaning, uint16_t definition, int64_t count);

  /// Adds `count` values, in a column without lists.
  Status AppendValid(int64_t count);

  /// What layer `i` came to. Once for each layer, after the last Append.
  struct Layer {
    int64_t length = 0;
    int64_t null_count = 0;
    std::shared_ptr<arrow::Buffer> validity;  ///< null if nothing is
    std::shared_ptr<arrow::Buffer> offsets;   ///< lists: length + 1
  };
  /// Offsets have 64 bits if `is_large`, else 32; InvalidArgument if they do not fit.
  Result<Layer> Finish(size_t i, bool is_large);

 private:
  struct State;

  std::vector<State> layers_;
  arrow::MemoryPool* pool_;
  int first_list_;  ///< the inner-most list layer, or num_layers()
  /// Up to this layer nothing can be added to the last list: the last entry ended here, or there
  /// has been none.
  int closed_;
};

}  // namespace tusk::lance
