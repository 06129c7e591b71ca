#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/compute/type_fwd.h>
#include <arrow/datum.h>
#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/literal.h"
#include "tusk/expr/source_text.h"

namespace arrow::compute {
class ExecContext;
}  // namespace arrow::compute

namespace tusk::expr {

/// The rows that an expression is evaluated for.
struct Evaluation {
  const arrow::RecordBatch* batch = nullptr;
  arrow::compute::ExecContext* compute = nullptr;
  const OperationContext* context = nullptr;
  std::string_view text = {};  ///< of the whole expression, for errors
  /// AND and OR ask a term at once for those rows only that the terms before it leave open.
  bool is_careful = false;
  bool has_codes = false;  ///< some columns may be dictionary arrays
  int64_t length() const;
};

/// Makes a value of each row from the values of the arguments: arrays of the length of the rows,
/// or scalars, which stand for every row. If all are scalars, so may be the result.
using Kernel = std::function<Result<arrow::Datum>(const std::vector<arrow::Datum>& arguments,
                                                  const Evaluation& evaluation)>;

enum class Comparison { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

enum class NodeKind {
  kColumn,   ///< `path`
  kLiteral,  ///< `value`
  kCall,     ///< `kernel` of the arguments
  kCompare,  ///< the same; `comparison` says which
  kIn,       ///< the same, of one argument; `set` says which values
  kAnd,
  kOr,
  kNot,
  kIsNull,
  kCase,  ///< pairs of condition and value, then the value where none holds
};

/// What is known of the values of an IN.
struct ValueSet {
  std::shared_ptr<arrow::Scalar> least;     ///< null: not known, or there are none but null
  std::shared_ptr<arrow::Scalar> greatest;  ///< null: not known, or there are none but null
  bool has_null = false;
  std::shared_ptr<arrow::Array> values = {};  ///< all but null; null: there are none
};

/// An expression whose columns and types are known. Immutable; threads share one.
struct Node {
  NodeKind kind = NodeKind::kLiteral;
  std::shared_ptr<arrow::DataType> type;
  Span span;
  std::vector<std::shared_ptr<const Node>> arguments = {};
  std::vector<int> path = {};                      ///< of a column, then of children of structs
  std::shared_ptr<arrow::Scalar> value = nullptr;  ///< kLiteral
  std::optional<Literal> literal = {};             ///< kLiteral, as it is written
  Kernel kernel = nullptr;
  Comparison comparison = Comparison::kEqual;  ///< kCompare
  ValueSet set = {};                           ///< kIn
  bool is_volatile = false;                    ///< another value each time, as of random()
  /// True where a pattern matches and else null, as it is where there is no text.
  bool is_match = false;
  /// kCall: the same values in a type that has room for all.
  bool is_widened = false;
  /// Of a column, and of what tells metadata of its own: name, type, nulls and metadata.
  std::shared_ptr<arrow::Field> field = {};
  /// The one column that it reads, if that is all that its value hangs on.
  std::optional<int> only_column = {};
  double cost = 1;  ///< nodes that are evaluated, those that are shared once for each use

  bool is_constant() const { return kind == NodeKind::kLiteral; }
};
using NodePtr = std::shared_ptr<const Node>;

/// The values of `node` for the rows: an array of their number, or a scalar. InvalidArgument, with
/// the place, where a value cannot be computed (overflow, division by zero, a failed cast). AND,
/// OR and CASE compute nothing for rows whose result is known without it.
Result<arrow::Datum> Evaluate(const Node& node, const Evaluation& evaluation);

/// The most that the cost of a node may be.
inline constexpr double kGreatestCost = 1e6;

/// `datum` as an array of `length` values.
Result<std::shared_ptr<arrow::Array>> ToArray(const arrow::Datum& datum, int64_t length,
                                              arrow::MemoryPool* pool);

/// The kernel of Arrow's function `name`, prepared once, and the type of its result.
/// InvalidArgument if there is none for these types.
struct ArrowFunction {
  Kernel kernel;
  std::shared_ptr<arrow::DataType> type;
};
Result<ArrowFunction> FindArrowFunction(const std::string& name,
                                        const std::vector<std::shared_ptr<arrow::DataType>>& types,
                                        std::shared_ptr<arrow::compute::FunctionOptions> options,
                                        arrow::compute::ExecContext* compute);

}  // namespace tusk::expr
