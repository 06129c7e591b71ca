#include "tusk/expr/function.h"

#include <algorithm>
#include <array>
#include <map>

#include "tusk/expr/expression.h"

namespace tusk::expr {
namespace {

const std::map<std::string_view, const FunctionEntry*>& AllFunctions() {
  static const auto functions = [] {
    std::map<std::string_view, const FunctionEntry*> by_name;
    for (const auto entries :
         {TextFunctions(),          TextChangeFunctions(),  PatternFunctions(),
          BytesFunctions(),         JsonFunctions(),        MathFunctions(),
          TimeFunctions(),          ListFunctions(),        ListMakingFunctions(),
          ListChangeFunctions(),    ListSetFunctions(),     ListNumberFunctions(),
          MapFunctions(),           ValueFunctions(),       TypeFunctions(),
          TextPartFunctions(),      MomentTextFunctions(),  GeometryFunctions(),
          GeometryShapeFunctions(), GeometryTextFunctions()}) {
      for (const FunctionEntry& entry : entries) by_name.emplace(entry.name, &entry);
    }
    return by_name;
  }();
  return functions;
}

std::string ArgumentsOf(const FunctionEntry& entry) {
  const std::string least = std::to_string(entry.least_arguments);
  const std::string most = std::to_string(entry.most_arguments);
  const bool is_one = std::max(entry.least_arguments, entry.most_arguments) == 1;
  const std::string noun = is_one ? " argument" : " arguments";
  if (entry.most_arguments < 0) return least + noun + " or more";
  return entry.most_arguments == entry.least_arguments ? least + noun
                                                       : least + " to " + most + noun;
}

}  // namespace

std::vector<std::string> FunctionNames() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : AllFunctions()) names.emplace_back(name);
  return names;
}

Result<NodePtr> BindFunction(const Binder& binder, const Call& call) {
  const auto found = AllFunctions().find(call.name);
  if (found == AllFunctions().end()) {
    return binder.Error(call.span, "there is no function '" + call.name + "'" +
                                       DidYouMean(call.name, FunctionNames()));
  }
  const FunctionEntry& entry = *found->second;
  const int count = static_cast<int>(call.arguments.size());
  if (count < entry.least_arguments ||
      (entry.most_arguments >= 0 && count > entry.most_arguments)) {
    return binder.Error(
        call.span, call.name + " takes " + ArgumentsOf(entry) + ", not " + std::to_string(count));
  }
  return entry.bind(binder, call);
}

}  // namespace tusk::expr
