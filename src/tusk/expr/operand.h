#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/datum.h>
#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::expr {

/// The values of one argument of a kernel, one for each row; a scalar is the same for all.
class Operand {
 public:
  static Result<Operand> Make(const arrow::Datum& datum, arrow::MemoryPool* pool);
  Operand() = default;
  explicit Operand(std::shared_ptr<arrow::Array> array) : array_(std::move(array)) {}

  bool is_scalar() const { return is_scalar_; }
  bool may_be_null() const { return array_->null_count() > 0; }
  bool IsNull(int64_t row) const { return array_->IsNull(Index(row)); }
  const arrow::Array& array() const { return *array_; }
  int64_t Index(int64_t row) const { return is_scalar_ ? 0 : row; }

 private:
  std::shared_ptr<arrow::Array> array_;
  bool is_scalar_ = false;
};

/// An operand of a type whose values are an array of T.
template <typename T>
class Values : public Operand {
 public:
  explicit Values(Operand operand)
      : Operand(std::move(operand)), values_(array().data()->template GetValues<T>(1)) {}
  T operator[](int64_t row) const { return values_[Index(row)]; }
  const T* data() const { return values_; }

 private:
  const T* values_;
};

/// An operand of texts or bytes, of either width of offsets.
class Texts : public Operand {
 public:
  explicit Texts(Operand operand);
  std::string_view operator[](int64_t row) const {
    const int64_t i = Index(row);
    return large_ != nullptr ? large_->GetView(i) : small_->GetView(i);
  }

 private:
  const arrow::BinaryArray* small_ = nullptr;
  const arrow::LargeBinaryArray* large_ = nullptr;
};

/// `array` as what a kernel gives: of scalars a scalar, which is its one value.
Result<arrow::Datum> ToResult(const std::shared_ptr<arrow::Array>& array, bool is_scalar);

/// How many rows a kernel computes: 1 if all arguments are scalars.
int64_t RowsOf(const std::vector<arrow::Datum>& arguments, int64_t length);

}  // namespace tusk::expr
