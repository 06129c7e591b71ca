#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/expr/binder.h"
#include "tusk/expr/function.h"
#include "tusk/expr/operand.h"

namespace tusk::expr {

/// The arguments of a kernel that goes row by row: texts, bytes and int64.
class Rows {
 public:
  static Result<Rows> Make(const std::vector<arrow::Datum>& arguments,
                           const Evaluation& evaluation);
  int64_t length() const { return length_; }
  bool is_scalar() const { return is_scalar_; }
  bool HasNull(int64_t row) const;
  bool IsNull(size_t argument, int64_t row) const;
  std::string_view Text(size_t argument, int64_t row) const {
    return (*arguments_[argument].texts)[row];
  }
  int64_t Integer(size_t argument, int64_t row) const {
    return (*arguments_[argument].integers)[row];
  }
  size_t size() const { return arguments_.size(); }

 private:
  struct Argument {
    std::optional<Texts> texts;
    std::optional<Values<int64_t>> integers;
  };
  std::vector<Argument> arguments_;
  int64_t length_ = 0;
  bool is_scalar_ = false;
};

/// Appends the value of a row to `out`, which is empty. Called for rows without nulls.
using TextOfRow = std::function<Status(const Rows& rows, int64_t row, std::string* out)>;
using IntegerOfRow = std::function<Result<int64_t>(const Rows& rows, int64_t row)>;
using TruthOfRow = std::function<Result<bool>(const Rows& rows, int64_t row)>;

/// Calls that make a value of each row from texts and integers; null where an argument is.
Result<NodePtr> MakeTextCall(const Binder& binder, Span span, std::vector<NodePtr> arguments,
                             TextOfRow function);
Result<NodePtr> MakeIntegerCall(const Binder& binder, Span span, std::vector<NodePtr> arguments,
                                IntegerOfRow function,
                                const std::shared_ptr<arrow::DataType>& type);
Result<NodePtr> MakeTruthCall(const Binder& binder, Span span, std::vector<NodePtr> arguments,
                              TruthOfRow function);

/// An argument as what the rows take. InvalidArgument, with the place, if it is something else.
Result<NodePtr> AsText(const Binder& binder, const NodePtr& node);
Result<NodePtr> AsInteger(const Binder& binder, const NodePtr& node);
/// The arguments of a call, of which the first `texts` are texts and the others whole numbers.
Result<std::vector<NodePtr>> TextsAndIntegers(const Binder& binder, const Call& call,
                                              size_t texts = std::numeric_limits<size_t>::max());
/// The text of an argument that must be a constant.
Result<std::string> ConstantText(const Binder& binder, const NodePtr& node);

}  // namespace tusk::expr
