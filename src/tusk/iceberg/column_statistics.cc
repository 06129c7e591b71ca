#include "tusk/iceberg/column_statistics.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/util/decimal.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/bounds.h"
#include "tusk/iceberg/schema.h"

namespace tusk::iceberg {

class ColumnStatistics::Column {
 public:
  virtual ~Column() = default;
  /// Takes the values of `array` that are not null.
  virtual void Add(const arrow::Array& array) = 0;
  virtual std::optional<std::string> LowerBound() const = 0;
  virtual std::optional<std::string> UpperBound() const = 0;
  /// Nothing for types without NaN.
  virtual std::optional<int64_t> nan_count() const { return std::nullopt; }
};

namespace {

/// Integers, floats and what is stored as them: dates, times, timestamps.
template <typename ArrowType>
class NumberColumn final : public ColumnStatistics::Column {
  using Value = typename ArrowType::c_type;
  using Array = typename arrow::TypeTraits<ArrowType>::ArrayType;

 public:
  void Add(const arrow::Array& array) override {
    const auto& values = static_cast<const Array&>(array);
    for (int64_t row = 0; row < values.length(); ++row) {
      if (values.IsValid(row)) AddValue(values.Value(row));
    }
  }

  std::optional<std::string> LowerBound() const override { return Bound(least_, Value{-1}); }
  std::optional<std::string> UpperBound() const override { return Bound(greatest_, Value{1}); }

  std::optional<int64_t> nan_count() const override {
    if constexpr (std::is_floating_point_v<Value>) return nan_count_;
    return std::nullopt;
  }

 private:
  void AddValue(Value value) {
    if constexpr (std::is_floating_point_v<Value>) {
      if (std::isnan(value)) {
        ++nan_count_;
        return;
      }
    }
    if (!least_.has_value() || value < *least_) least_ = value;
    if (!greatest_.has_value() || *greatest_ < value) greatest_ = value;
  }

  /// A zero gets the sign that makes the bound the wider one.
  static std::optional<std::string> Bound(std::optional<Value> value, Value sign) {
    if (!value.has_value()) return std::nullopt;
    if constexpr (std::is_floating_point_v<Value>) {
      if (*value == 0) value = std::copysign(*value, sign);
    }
    std::string bytes;
    AppendLittle(*value, &bytes);
    return bytes;
  }

  std::optional<Value> least_;
  std::optional<Value> greatest_;
  int64_t nan_count_ = 0;
};

class BooleanColumn final : public ColumnStatistics::Column {
 public:
  void Add(const arrow::Array& array) override {
    const auto& values = static_cast<const arrow::BooleanArray&>(array);
    const int64_t trues = values.true_count();
    has_true_ = has_true_ || trues > 0;
    has_false_ = has_false_ || values.length() - values.null_count() > trues;
  }
  std::optional<std::string> LowerBound() const override {
    if (!has_true_ && !has_false_) return std::nullopt;
    return std::string(1, has_false_ ? '\0' : '\1');
  }
  std::optional<std::string> UpperBound() const override {
    if (!has_true_ && !has_false_) return std::nullopt;
    return std::string(1, has_true_ ? '\1' : '\0');
  }

 private:
  bool has_true_ = false;
  bool has_false_ = false;
};

class DecimalColumn final : public ColumnStatistics::Column {
 public:
  void Add(const arrow::Array& array) override {
    const auto& values = static_cast<const arrow::Decimal128Array&>(array);
    for (int64_t row = 0; row < values.length(); ++row) {
      if (values.IsNull(row)) continue;
      const arrow::Decimal128 value(values.GetValue(row));
      if (!least_.has_value() || value < *least_) least_ = value;
      if (!greatest_.has_value() || *greatest_ < value) greatest_ = value;
    }
  }
  std::optional<std::string> LowerBound() const override { return Bound(least_); }
  std::optional<std::string> UpperBound() const override { return Bound(greatest_); }

 private:
  static std::optional<std::string> Bound(const std::optional<arrow::Decimal128>& value) {
    if (!value.has_value()) return std::nullopt;
    return DecimalBound(*value);
  }

  std::optional<arrow::Decimal128> least_;
  std::optional<arrow::Decimal128> greatest_;
};

/// Text and bytes. Only cut values are kept: cutting keeps the order, so the least cut value is the
/// cut least value, and a file of large objects costs nothing here.
template <typename Array>
class BytesColumn final : public ColumnStatistics::Column {
 public:
  explicit BytesColumn(bool is_text) : is_text_(is_text) {}

  void Add(const arrow::Array& array) override {
    const auto& values = static_cast<const Array&>(array);
    for (int64_t row = 0; row < values.length(); ++row) {
      if (values.IsValid(row)) AddValue(values.GetView(row));
    }
  }
  std::optional<std::string> LowerBound() const override { return least_; }
  std::optional<std::string> UpperBound() const override {
    if (!greatest_.has_value() || !greatest_was_cut_) return greatest_;
    return is_text_ ? NextText(*greatest_) : NextBytes(*greatest_);
  }

 private:
  void AddValue(std::string_view value) {
    const std::string_view cut =
        is_text_ ? TruncateText(value, kBoundLength) : value.substr(0, kBoundLength);
    const bool was_cut = cut.size() < value.size();
    if (!least_.has_value() || cut < *least_) least_ = cut;
    if (!greatest_.has_value() || *greatest_ < cut) {
      greatest_ = cut;
      greatest_was_cut_ = was_cut;
    } else if (cut == *greatest_) {
      greatest_was_cut_ = greatest_was_cut_ || was_cut;
    }
  }

  const bool is_text_;
  std::optional<std::string> least_;
  std::optional<std::string> greatest_;
  bool greatest_was_cut_ = false;
};

/// Null for types of which nothing is said.
std::unique_ptr<ColumnStatistics::Column> MakeColumn(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return std::make_unique<BooleanColumn>();
    case arrow::Type::INT32:
      return std::make_unique<NumberColumn<arrow::Int32Type>>();
    case arrow::Type::INT64:
      return std::make_unique<NumberColumn<arrow::Int64Type>>();
    case arrow::Type::FLOAT:
      return std::make_unique<NumberColumn<arrow::FloatType>>();
    case arrow::Type::DOUBLE:
      return std::make_unique<NumberColumn<arrow::DoubleType>>();
    case arrow::Type::DATE32:
      return std::make_unique<NumberColumn<arrow::Date32Type>>();
    case arrow::Type::TIME64:
      return std::make_unique<NumberColumn<arrow::Time64Type>>();
    case arrow::Type::TIMESTAMP:
      return std::make_unique<NumberColumn<arrow::TimestampType>>();
    case arrow::Type::DECIMAL128:
      return std::make_unique<DecimalColumn>();
    case arrow::Type::STRING:
      return std::make_unique<BytesColumn<arrow::StringArray>>(/*is_text=*/true);
    case arrow::Type::BINARY:
      return std::make_unique<BytesColumn<arrow::BinaryArray>>(/*is_text=*/false);
    case arrow::Type::FIXED_SIZE_BINARY:
      return std::make_unique<BytesColumn<arrow::FixedSizeBinaryArray>>(/*is_text=*/false);
    default:
      return nullptr;
  }
}

}  // namespace

/// A field: a struct with children, a primitive with statistics, or a list or map with neither.
struct ColumnStatistics::Node {
  int32_t field_id = 0;
  std::unique_ptr<Column> column;
  int64_t null_count = 0;
  std::vector<Node> children;
};

ColumnStatistics::Node ColumnStatistics::MakeNode(const arrow::Field& field) {
  Node node;
  node.field_id = FieldId(field).value_or(0);
  node.column = MakeColumn(*field.type());
  if (field.type()->id() == arrow::Type::STRUCT) {
    for (const auto& child : field.type()->fields()) node.children.push_back(MakeNode(*child));
  }
  return node;
}

ColumnStatistics::ColumnStatistics(const arrow::Schema& schema) {
  for (const auto& field : schema.fields()) nodes_.push_back(MakeNode(*field));
}

ColumnStatistics::~ColumnStatistics() = default;

Status ColumnStatistics::Add(const arrow::Array& array, Node* node,
                             const OperationContext& context) {
  if (node->column != nullptr) {
    node->null_count += array.null_count();
    node->column->Add(array);
  }
  if (node->children.empty()) return Status::OK();
  // Flatten makes a child null where its parent is, which is how a file counts it.
  ARROW_ASSIGN_OR_RAISE(const arrow::ArrayVector children,
                        static_cast<const arrow::StructArray&>(array).Flatten(context.pool));
  for (size_t i = 0; i < children.size(); ++i) {
    ARROW_RETURN_NOT_OK(Add(*children[i], &node->children[i], context));
  }
  return Status::OK();
}

Status ColumnStatistics::Add(const arrow::RecordBatch& batch, const OperationContext& context) {
  rows_ += batch.num_rows();
  for (size_t i = 0; i < nodes_.size(); ++i) {
    ARROW_RETURN_NOT_OK(Add(*batch.column(static_cast<int>(i)), &nodes_[i], context));
  }
  return Status::OK();
}

void ColumnStatistics::FillIn(const Node& node, int64_t rows, DataFile* file) {
  for (const Node& child : node.children) FillIn(child, rows, file);
  if (node.column == nullptr) return;
  const int32_t id = node.field_id;
  file->value_counts[id] = rows;
  file->null_value_counts[id] = node.null_count;
  if (const auto nans = node.column->nan_count()) file->nan_value_counts[id] = *nans;
  if (auto bound = node.column->LowerBound()) file->lower_bounds[id] = *std::move(bound);
  if (auto bound = node.column->UpperBound()) file->upper_bounds[id] = *std::move(bound);
}

void ColumnStatistics::FillIn(DataFile* file) const {
  file->record_count = rows_;
  for (const Node& node : nodes_) FillIn(node, rows_, file);
}

}  // namespace tusk::iceberg
