#include "tusk/lance/file/write/leaf_path.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include <arrow/array/array_base.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/jsonb.h"
#include "tusk/lance/encodings/packed_struct.h"
#include "tusk/lance/encodings/value_shape.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/file/logical_type.h"

namespace tusk::lance {
namespace {

using arrow::Type;

/// Bytes of the levels of one entry.
constexpr int64_t kLevelBytes = 4;

const uint8_t* ValidityOf(const arrow::ArrayData& array) {
  return array.MayHaveNulls() && array.buffers[0] != nullptr ? array.buffers[0]->data() : nullptr;
}

bool IsNullIn(const arrow::ArrayData& array, const uint8_t* validity, int64_t row) {
  return validity != nullptr && !GetBit(validity, array.offset + row);
}

template <typename Offset>
const Offset* OffsetsOf(const arrow::ArrayData& array) {
  return reinterpret_cast<const Offset*>(array.buffers[1]->data()) + array.offset;
}

/// Rows of `array`, one run behind the other, as one array.
Result<std::shared_ptr<arrow::ArrayData>> Gather(const std::shared_ptr<arrow::ArrayData>& array,
                                                 std::span<const RowRange> runs,
                                                 arrow::MemoryPool* pool) {
  if (runs.size() <= 1) {
    const RowRange rows = runs.empty() ? RowRange{} : runs[0];
    return array->Slice(rows.begin, rows.length());
  }
  arrow::ArrayVector parts;
  parts.reserve(runs.size());
  for (const RowRange& rows : runs) {
    parts.push_back(arrow::MakeArray(array->Slice(rows.begin, rows.length())));
  }
  ARROW_ASSIGN_OR_RAISE(const auto gathered, arrow::Concatenate(parts, pool));
  return gathered->data();
}

/// Bytes of values that are no lists and no structs but packed ones.
int64_t ValueBytes(const arrow::ArrayData& array, RowRange rows) {
  const int64_t count = rows.length();
  if (count == 0) return 0;
  const auto text_bytes = [&](auto offset) {
    const auto* offsets = OffsetsOf<decltype(offset)>(array);
    return int64_t{offsets[rows.end] - offsets[rows.begin]} + count * int64_t{sizeof(offset)};
  };
  switch (array.type->id()) {
    case Type::STRING:
    case Type::BINARY:
      return text_bytes(int32_t{});
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return text_bytes(int64_t{});
    case Type::STRUCT: {
      int64_t bytes = 0;
      for (const auto& child : array.child_data) {
        bytes += ValueBytes(*child,
                            {.begin = rows.begin + array.offset, .end = rows.end + array.offset});
      }
      return bytes;
    }
    case Type::FIXED_SIZE_LIST: {
      const int64_t size = static_cast<const arrow::FixedSizeListType&>(*array.type).list_size();
      return ValueBytes(*array.child_data[0], {.begin = (rows.begin + array.offset) * size,
                                               .end = (rows.end + array.offset) * size});
    }
    default:
      if (!arrow::is_fixed_width(array.type->id())) return BytesForBits(count);
      return BytesForBits(count *
                          static_cast<const arrow::FixedWidthType&>(*array.type).bit_width());
  }
}

/// A dictionary array with the same values, of which its dictionary has no null.
Result<std::shared_ptr<arrow::ArrayData>> WithoutNullItems(std::shared_ptr<arrow::ArrayData> array,
                                                           arrow::MemoryPool* pool) {
  if (array->dictionary == nullptr || array->dictionary->GetNullCount() == 0) return array;
  const auto type = array->type;
  const auto& values = static_cast<const arrow::DictionaryType&>(*type).value_type();
  ARROW_ASSIGN_OR_RAISE(array, CastTo(std::move(array), values, pool));
  ARROW_ASSIGN_OR_RAISE(array, EncodeAsDictionary(std::move(array), pool));
  return CastTo(std::move(array), type, pool);
}

/// The values of a column in the form in which pages store them.
Result<std::shared_ptr<arrow::ArrayData>> StoredForm(std::shared_ptr<arrow::ArrayData> values,
                                                     const PhysicalColumn& column,
                                                     arrow::MemoryPool* pool) {
  if (column.kind == ColumnKind::kPackedStruct) {
    ARROW_ASSIGN_OR_RAISE(const ValueShape shape, ValueShape::OfPacked(*values->type));
    auto rows = PackStruct(*values, shape, pool);
    if (!rows.ok()) return WithContext(rows.status(), "field '" + column.field->name + "'");
    return rows;
  }
  if (column.field->logical_type == "json" && values->type->id() != Type::LARGE_BINARY) {
    auto jsonb = JsonbOf(*arrow::MakeArray(values), pool);
    if (!jsonb.ok()) {
      return WithContext(jsonb.status(), "field '" + column.field->name + "'");
    }
    return (*jsonb)->data();
  }
  return WithoutNullItems(std::move(values), pool);
}

}  // namespace

Status LeafPath::AddPaths(const Field& field, uint16_t minor_version, const LeafPath& above,
                          std::vector<LeafPath>* out) {
  LeafPath path = above;
  const FieldLayout layout = LayoutOf(field, minor_version);
  if (layout.kind) {
    path.column_ = {.field = &field, .kind = *layout.kind};
    path.Number();
    out->push_back(std::move(path));
    return Status::OK();
  }
  Step step{.kind = StepKind::kStruct, .field = &field};
  const bool is_in_fixed_size_list = std::ranges::any_of(
      above.steps_, [](const Step& s) { return s.kind == StepKind::kFixedSizeList; });
  if (IsListName(field.logical_type) || field.logical_type == "map") {
    step.kind = StepKind::kList;
  } else if (IsLargeListName(field.logical_type)) {
    step.kind = StepKind::kLargeList;
  } else if (const int32_t size = StructListSize(field.logical_type); size > 0) {
    step.kind = StepKind::kFixedSizeList;
    step.list_size = size;
    path.entries_per_row_ *= size;
  }
  if (step.is_list()) ++path.num_lists_;
  if ((step.is_list() && is_in_fixed_size_list) ||
      (step.kind == StepKind::kFixedSizeList && path.num_lists_ > 0)) {
    return Unsupported("field '", field.name,
                       "': lists around or within fixed-size lists of structs cannot be written, "
                       "since no reader understands them");
  }
  path.steps_.push_back(step);
  for (size_t child = 0; child < field.children.size(); ++child) {
    path.steps_.back().child = static_cast<int>(child);
    ARROW_RETURN_NOT_OK(AddPaths(field.children[child], minor_version, path, out));
  }
  return Status::OK();
}

Result<std::vector<LeafPath>> LeafPath::Of(const Field& field, uint16_t minor_version) {
  std::vector<LeafPath> paths;
  ARROW_RETURN_NOT_OK(AddPaths(field, minor_version, LeafPath(), &paths));
  return paths;
}

void LeafPath::Number() {
  layers_ = {LevelLayer::kNullableItem};
  uint16_t level = 2;
  uint16_t repetition = 0;
  for (size_t i = steps_.size(); i-- > 0;) {
    Step& step = steps_[i];
    step.null_level = level++;
    if (step.is_list()) {
      step.empty_level = level++;
      step.repetition = repetition++;
      layers_.push_back(LevelLayer::kNullAndEmptyList);
    } else {
      layers_.push_back(LevelLayer::kNullableItem);
    }
  }
}

std::vector<uint16_t> LeafPath::NullLevelsAboveItems() const {
  std::vector<uint16_t> levels;
  bool is_above_items = false;
  for (size_t i = steps_.size(); i-- > 0;) {
    const Step& step = steps_[i];
    is_above_items |= step.kind == StepKind::kFixedSizeList;
    if (is_above_items && !step.is_list() && step.field->nullable)
      levels.push_back(step.null_level);
    is_above_items |= step.is_list();
  }
  return levels;
}

int64_t LeafPath::ArrowBytes(const arrow::ArrayData& array, RowRange rows) const {
  const arrow::ArrayData* at = &array;
  // Rows without a value have an entry of levels too, as those of empty lists.
  int64_t num_entries = 0;
  for (const Step& step : steps_) {
    num_entries = std::max(num_entries, rows.length());
    const arrow::ArrayData* child = at->child_data[0].get();
    switch (step.kind) {
      case StepKind::kStruct:
        rows = {.begin = rows.begin + at->offset, .end = rows.end + at->offset};
        child = at->child_data[step.child].get();
        break;
      case StepKind::kList:
        rows = {.begin = OffsetsOf<int32_t>(*at)[rows.begin],
                .end = OffsetsOf<int32_t>(*at)[rows.end]};
        break;
      case StepKind::kLargeList:
        rows = {.begin = OffsetsOf<int64_t>(*at)[rows.begin],
                .end = OffsetsOf<int64_t>(*at)[rows.end]};
        break;
      case StepKind::kFixedSizeList:
        rows = {.begin = (rows.begin + at->offset) * step.list_size,
                .end = (rows.end + at->offset) * step.list_size};
        break;
    }
    at = child;
  }
  if (!steps_.empty()) num_entries = std::max(num_entries, rows.length());
  return ValueBytes(*at, rows) + num_entries * kLevelBytes;
}

/// The entries of rows, layer by layer from the outside. Entries that did not end at a list stand
/// for the rows `runs_` of `array_`, in order.
class LeafPath::Walk {
 public:
  Walk(std::shared_ptr<arrow::ArrayData> array, RowRange rows, uint16_t max_repetition)
      : array_(std::move(array)),
        definition_(rows.length(), 0),
        repetition_(max_repetition > 0 ? rows.length() : 0, max_repetition) {
    if (rows.length() > 0) runs_.push_back(rows);
  }

  Status EnterStruct(const Step& step) {
    ARROW_RETURN_NOT_OK(EndNulls(*step.field, step.null_level));
    Shift(array_->offset);
    array_ = array_->child_data[step.child];
    return Status::OK();
  }

  Status EnterFixedSizeList(const Step& step) {
    ARROW_RETURN_NOT_OK(EndNulls(*step.field, step.null_level));
    std::vector<uint16_t> definition(definition_.size() * step.list_size);
    auto to = definition.begin();
    for (const uint16_t level : definition_) to = std::fill_n(to, step.list_size, level);
    definition_ = std::move(definition);
    for (RowRange& run : runs_) {
      run = {.begin = (run.begin + array_->offset) * step.list_size,
             .end = (run.end + array_->offset) * step.list_size};
    }
    array_ = array_->child_data[0];
    return Status::OK();
  }

  template <typename Offset>
  Status EnterList(const Step& step) {
    const uint8_t* validity = ValidityOf(*array_);
    const auto* offsets = array_->length == 0 ? nullptr : OffsetsOf<Offset>(*array_);
    std::vector<RowRange> runs;
    int64_t num_items = 0;
    for (const RowRange& run : runs_) num_items += offsets[run.end] - offsets[run.begin];
    std::vector<uint16_t> definition;
    std::vector<uint16_t> repetition;
    definition.reserve(definition_.size() + num_items);
    repetition.reserve(definition_.size() + num_items);
    bool has_null = false;
    VisitEntries([&](size_t entry, int64_t row) {
      uint16_t level = definition_[entry];
      const int64_t length = row < 0 ? 0 : offsets[row + 1] - offsets[row];
      if (row >= 0 && level == 0) {
        if (IsNullIn(*array_, validity, row)) {
          level = step.null_level;
          has_null = true;
        } else if (length == 0) {
          level = step.empty_level;
        }
      }
      repetition.push_back(repetition_[entry]);
      if (level != 0) {
        definition.push_back(level);
        return;
      }
      definition.resize(definition.size() + length, 0);
      repetition.resize(repetition.size() + length - 1, step.repetition);
      if (!runs.empty() && runs.back().end == offsets[row]) {
        runs.back().end = offsets[row + 1];
      } else {
        runs.push_back({.begin = offsets[row], .end = offsets[row + 1]});
      }
    });
    ARROW_RETURN_NOT_OK(CheckNullable(*step.field, has_null));
    definition_ = std::move(definition);
    repetition_ = std::move(repetition);
    runs_ = std::move(runs);
    hidden_from_ = step.null_level;
    array_ = array_->child_data[0];
    return Status::OK();
  }

  Result<LeafRows> Finish(const PhysicalColumn& column, arrow::MemoryPool* pool) && {
    ARROW_ASSIGN_OR_RAISE(array_, Gather(array_, runs_, pool));
    ARROW_ASSIGN_OR_RAISE(array_, StoredForm(std::move(array_), column, pool));
    runs_.clear();
    if (array_->length > 0) runs_.push_back({.begin = 0, .end = array_->length});
    ARROW_RETURN_NOT_OK(EndNulls(*column.field, 1));
    LeafRows rows;
    rows.values = std::move(array_);
    rows.definition = std::move(definition_);
    rows.repetition = std::move(repetition_);
    return rows;
  }

  /// OK if the rows have no null that `field` forbids.
  static Status CheckNullable(const Field& field, bool has_null) {
    if (field.nullable || !has_null) return Status::OK();
    return InvalidArgument("field '", field.name, "' is not nullable, but has nulls");
  }

 private:
  /// Calls `visit(entry, row of array_)` for each entry; row -1 for those that ended at a list.
  template <typename Visit>
  void VisitEntries(Visit visit) const {
    auto run = runs_.begin();
    int64_t row = runs_.empty() ? 0 : run->begin;
    for (size_t entry = 0; entry < definition_.size(); ++entry) {
      if (definition_[entry] >= hidden_from_) {
        visit(entry, -1);
        continue;
      }
      if (row == run->end) row = (++run)->begin;
      visit(entry, row++);
    }
  }

  /// Ends the entries whose item is null, if nothing further out is.
  Status EndNulls(const Field& field, uint16_t level) {
    const uint8_t* validity = ValidityOf(*array_);
    const bool is_all_null = array_->type->id() == Type::NA;
    if (validity == nullptr && !is_all_null) return Status::OK();
    bool has_null = false;
    std::vector<uint16_t>& definition = definition_;
    VisitEntries([&](size_t entry, int64_t row) {
      if (row < 0 || definition[entry] != 0) return;
      if (!is_all_null && GetBit(validity, array_->offset + row)) return;
      definition[entry] = level;
      has_null = true;
    });
    return CheckNullable(field, has_null);
  }

  void Shift(int64_t by) {
    for (RowRange& run : runs_) run = {.begin = run.begin + by, .end = run.end + by};
  }

  std::shared_ptr<arrow::ArrayData> array_;
  std::vector<RowRange> runs_;
  std::vector<uint16_t> definition_;
  std::vector<uint16_t> repetition_;
  /// Entries with this level or more ended at a list.
  uint32_t hidden_from_ = std::numeric_limits<uint32_t>::max();
};

Result<LeafRows> LeafPath::Take(const arrow::ArrayData& array, RowRange rows,
                                arrow::MemoryPool* pool) const {
  LeafRows result;
  if (steps_.empty()) {
    ARROW_ASSIGN_OR_RAISE(result.values,
                          StoredForm(array.Slice(rows.begin, rows.length()), column_, pool));
    const bool has_null = !column_.field->nullable && result.values->GetNullCount() > 0;
    ARROW_RETURN_NOT_OK(Walk::CheckNullable(*column_.field, has_null));
  } else {
    Walk walk(array.Copy(), rows, static_cast<uint16_t>(num_lists_));
    for (const Step& step : steps_) {
      switch (step.kind) {
        case StepKind::kStruct:
          ARROW_RETURN_NOT_OK(walk.EnterStruct(step));
          break;
        case StepKind::kList:
          ARROW_RETURN_NOT_OK(walk.EnterList<int32_t>(step));
          break;
        case StepKind::kLargeList:
          ARROW_RETURN_NOT_OK(walk.EnterList<int64_t>(step));
          break;
        case StepKind::kFixedSizeList:
          ARROW_RETURN_NOT_OK(walk.EnterFixedSizeList(step));
          break;
      }
    }
    ARROW_ASSIGN_OR_RAISE(result, std::move(walk).Finish(column_, pool));
  }
  result.num_rows = rows.length();
  return result;
}

}  // namespace tusk::lance
