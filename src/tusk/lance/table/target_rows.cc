#include "tusk/lance/table/target_rows.h"

#include <algorithm>
#include <map>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer_builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "tusk/expr/pruning.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

/// So many rows are looked at together: what is known of them stays in the cache next to the core.
constexpr int64_t kRowsAtOnce = 4096;

/// Bounds of so many batches of the source are kept; of more, nothing is known.
constexpr size_t kMostBounds = 64;

using expr::Predicate;

bool HasOrder(const arrow::Field& source, const arrow::Field& target) {
  const arrow::Type::type id = target.type()->id();
  return source.type()->Equals(*target.type()) &&
         (arrow::is_integer(id) || arrow::is_temporal(id) || arrow::is_base_binary_like(id));
}

Result<JoinKeys> KeysOf(const arrow::ArrayVector& columns, int64_t begin, int64_t length,
                        const OperationContext& context) {
  arrow::ArrayVector slices;
  slices.reserve(columns.size());
  for (const auto& column : columns) slices.push_back(column->Slice(begin, length));
  return JoinKeys::Make(slices, length, context);
}

class KeyTest final : public RowTest {
 public:
  KeyTest(std::shared_ptr<const HashFilter> filter, Predicate bounds)
      : filter_(std::move(filter)), bounds_(std::move(bounds)) {}

  Result<std::shared_ptr<arrow::BooleanArray>> Judge(
      const arrow::RecordBatch& batch, const OperationContext& context) const override {
    const int64_t num_rows = batch.num_rows();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                          arrow::AllocateEmptyBitmap(num_rows, context.pool));
    for (int64_t begin = 0; begin < num_rows; begin += kRowsAtOnce) {
      const int64_t length = std::min(kRowsAtOnce, num_rows - begin);
      ARROW_ASSIGN_OR_RAISE(const JoinKeys keys, KeysOf(batch.columns(), begin, length, context));
      SetBits(keys, bits->mutable_data() + begin / 8);
    }
    return std::make_shared<arrow::BooleanArray>(num_rows, std::move(bits));
  }

  Result<bool> MayMatch(const std::map<std::string, expr::ColumnRange>& ranges) const override {
    return expr::MayBeTrue(bounds_, ranges);
  }

 private:
  void SetBits(const JoinKeys& keys, uint8_t* bits) const {
    const HashFilter& filter = *filter_;
    for (int64_t first = 0; first < keys.num_rows(); first += 8) {
      const int64_t end = std::min(first + 8, keys.num_rows());
      uint8_t byte = 0;
      for (int64_t row = first; row < end; ++row) {
        const bool may_match = filter.MayHave(keys.hash(row)) && !keys.has_null(row);
        byte |= static_cast<uint8_t>(may_match << (row - first));
      }
      bits[first / 8] = byte;
    }
  }

  const std::shared_ptr<const HashFilter> filter_;
  const Predicate bounds_;
};

/// The columns that are put together of what is found.
class Found {
 public:
  explicit Found(arrow::MemoryPool* pool) : source_rows_(pool), addresses_(pool), ids_(pool) {}

  Status Add(int64_t source_row, uint64_t address) {
    ARROW_RETURN_NOT_OK(source_rows_.Append(source_row));
    return addresses_.Append(address);
  }
  Status AddId(uint64_t id) { return ids_.Append(id); }

  Result<std::shared_ptr<arrow::RecordBatch>> Finish(const std::shared_ptr<arrow::Schema>& schema) {
    const int64_t count = source_rows_.length();
    ARROW_ASSIGN_OR_RAISE(auto source_rows, source_rows_.Finish());
    ARROW_ASSIGN_OR_RAISE(auto addresses, addresses_.Finish());
    arrow::ArrayVector columns = {
        std::make_shared<arrow::Int64Array>(count, std::move(source_rows)),
        std::make_shared<arrow::UInt64Array>(count, std::move(addresses))};
    if (schema->num_fields() > std::ssize(columns)) {
      ARROW_ASSIGN_OR_RAISE(auto ids, ids_.Finish());
      columns.push_back(std::make_shared<arrow::UInt64Array>(count, std::move(ids)));
    }
    return arrow::RecordBatch::Make(schema, count, std::move(columns));
  }

 private:
  arrow::TypedBufferBuilder<int64_t> source_rows_;
  arrow::TypedBufferBuilder<uint64_t> addresses_;
  arrow::TypedBufferBuilder<uint64_t> ids_;
};

class KeyMatcher final : public RowMap {
 public:
  KeyMatcher(TargetSearch search, bool has_ids) : search_(std::move(search)) {
    arrow::FieldVector fields = {arrow::field("source_row", arrow::int64()),
                                 arrow::field(std::string(kRowAddressColumn), arrow::uint64())};
    if (has_ids) fields.push_back(arrow::field(std::string(kRowIdColumn), arrow::uint64()));
    schema_ = arrow::schema(std::move(fields));
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<std::shared_ptr<arrow::RecordBatch>> Map(const arrow::RecordBatch& rows,
                                                  const OperationContext& context) const override {
    const auto& columns = rows.columns();
    const arrow::ArrayVector key(columns.begin(), columns.begin() + std::ssize(search_.on));
    std::shared_ptr<arrow::BooleanArray> is_wanted;
    if (search_.condition != nullptr) {
      ARROW_ASSIGN_OR_RAISE(is_wanted, Judge(rows, context));
    }
    Found found(context.pool);
    for (int64_t begin = 0; begin < rows.num_rows(); begin += kRowsAtOnce) {
      const int64_t length = std::min(kRowsAtOnce, rows.num_rows() - begin);
      ARROW_ASSIGN_OR_RAISE(const JoinKeys keys, KeysOf(key, begin, length, context));
      ARROW_RETURN_NOT_OK(Search(rows, begin, keys, is_wanted.get(), &found));
    }
    return found.Finish(schema_);
  }

 private:
  Result<std::shared_ptr<arrow::BooleanArray>> Judge(const arrow::RecordBatch& rows,
                                                     const OperationContext& context) const {
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (const std::string& name : search_.condition_columns) {
      fields.push_back(rows.schema()->GetFieldByName(name));
      columns.push_back(rows.GetColumnByName(name));
    }
    const auto read = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows.num_rows(),
                                               std::move(columns));
    return search_.condition->Judge(*read, context);
  }

  /// Looks for the rows from `begin` on that have these keys.
  Status Search(const arrow::RecordBatch& rows, int64_t begin, const JoinKeys& keys,
                const arrow::BooleanArray* is_wanted, Found* found) const {
    const auto addresses = rows.GetColumnByName(std::string(kRowAddressColumn));
    const auto* address = addresses->data()->GetValues<uint64_t>(1) + begin;
    const auto ids = rows.GetColumnByName(std::string(kRowIdColumn));
    const auto* id = ids == nullptr ? nullptr : ids->data()->GetValues<uint64_t>(1) + begin;
    const auto add = [&](int64_t source_row, int64_t row) -> Status {
      if (id != nullptr) ARROW_RETURN_NOT_OK(found->AddId(id[row]));
      return found->Add(source_row, address[row]);
    };
    std::vector<uint8_t> is_matched(search_.wants_unmatched ? keys.num_rows() : 0);
    Status status;
    search_.table->FindAll(keys, Candidates(keys), [&](int32_t row, int64_t source_row) {
      if (!is_matched.empty()) is_matched[row] = 1;
      if (status.ok()) status = add(source_row, row);
    });
    ARROW_RETURN_NOT_OK(status);
    for (int64_t row = 0; row < std::ssize(is_matched); ++row) {
      const bool is_mine =
          keys.has_null(row) ? search_.part.number == 0 : search_.part.Has(keys.hash(row));
      if (!is_mine || is_matched[row] != 0) continue;
      if (is_wanted != nullptr && !is_wanted->Value(begin + row)) continue;
      ARROW_RETURN_NOT_OK(add(FoundRows::kUnmatched, row));
    }
    return Status::OK();
  }

  /// The rows whose key may be in the table.
  std::vector<int32_t> Candidates(const JoinKeys& keys) const {
    std::vector<int32_t> candidates(keys.num_rows());
    size_t count = 0;
    for (int64_t row = 0; row < keys.num_rows(); ++row) {
      // Those that may not are written over.
      candidates[count] = static_cast<int32_t>(row);
      count += search_.table->MayHave(keys.hash(row)) && !keys.has_null(row) ? 1 : 0;
    }
    candidates.resize(count);
    return candidates;
  }

  const TargetSearch search_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

KeyBounds::KeyBounds(const arrow::FieldVector& source, const arrow::FieldVector& target)
    : target_(target) {
  for (size_t i = 0; i < target.size(); ++i) {
    has_order_.push_back(HasOrder(*source[i], *target[i]));
  }
}

Status KeyBounds::Add(const arrow::ArrayVector& columns, int64_t num_rows,
                      arrow::MemoryPool* pool) {
  if (num_rows == 0 || !is_known_) return Status::OK();
  Predicate piece{.kind = Predicate::Kind::kAnd};
  for (size_t i = 0; i < columns.size(); ++i) {
    // A null matches nothing.
    if (columns[i]->null_count() == num_rows) return Status::OK();
    if (!has_order_[i]) continue;
    ARROW_ASSIGN_OR_RAISE(const Bounds bounds, FindMinMax(*columns[i]->data(), pool));
    Predicate between{.kind = Predicate::Kind::kIn, .path = {target_[i]->name()}};
    between.least = bounds.least;
    between.greatest = bounds.greatest;
    piece.children.push_back(std::move(between));
  }
  is_known_ = !piece.children.empty() && pieces_.size() < kMostBounds;
  if (is_known_) pieces_.push_back(std::move(piece));
  return Status::OK();
}

Predicate KeyBounds::predicate() const {
  if (!is_known_) return {};
  if (pieces_.empty()) return {.kind = Predicate::Kind::kNever};
  return {.kind = Predicate::Kind::kOr, .children = pieces_};
}

std::shared_ptr<const RowTest> MakeKeyTest(std::shared_ptr<const HashFilter> filter,
                                           Predicate bounds) {
  return std::make_shared<KeyTest>(std::move(filter), std::move(bounds));
}

std::shared_ptr<const RowMap> MakeKeyMatcher(TargetSearch search, bool has_ids) {
  return std::make_shared<KeyMatcher>(std::move(search), has_ids);
}

FoundRows::FoundRows(const arrow::RecordBatch& rows)
    : count(rows.num_rows()),
      source_rows(rows.column(0)->data()->GetValues<int64_t>(1)),
      addresses(rows.column(1)->data()->GetValues<uint64_t>(1)),
      ids(rows.num_columns() > 2 ? rows.column(2)->data()->GetValues<uint64_t>(1) : nullptr) {}

}  // namespace tusk::lance
