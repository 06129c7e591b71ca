#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/expr/binder.h"

namespace tusk::expr {

/// A call in an expression whose arguments are bound.
struct Call {
  std::string name;
  Span span;
  std::vector<NodePtr> arguments = {};
};

/// A function by name.
struct FunctionEntry {
  std::string_view name;  ///< in small letters
  int least_arguments;
  int most_arguments;  ///< -1: any number
  Result<NodePtr> (*bind)(const Binder& binder, const Call& call);
};

/// The functions of a kind. Names are unique over all kinds.
std::span<const FunctionEntry> TextFunctions();
std::span<const FunctionEntry> TextChangeFunctions();
std::span<const FunctionEntry> TextPartFunctions();
std::span<const FunctionEntry> PatternFunctions();
std::span<const FunctionEntry> BytesFunctions();
std::span<const FunctionEntry> JsonFunctions();
std::span<const FunctionEntry> MathFunctions();
std::span<const FunctionEntry> TimeFunctions();
std::span<const FunctionEntry> ListFunctions();
std::span<const FunctionEntry> ListMakingFunctions();
std::span<const FunctionEntry> ListChangeFunctions();
std::span<const FunctionEntry> ListSetFunctions();
std::span<const FunctionEntry> ListNumberFunctions();
std::span<const FunctionEntry> MapFunctions();
std::span<const FunctionEntry> ValueFunctions();
std::span<const FunctionEntry> TypeFunctions();
std::span<const FunctionEntry> MomentTextFunctions();
std::span<const FunctionEntry> GeometryFunctions();
std::span<const FunctionEntry> GeometryShapeFunctions();
std::span<const FunctionEntry> GeometryTextFunctions();

/// Binds a call. InvalidArgument, with the nearest names, for a function that there is not, and for
/// a wrong number of arguments.
Result<NodePtr> BindFunction(const Binder& binder, const Call& call);

}  // namespace tusk::expr
