// Parts of texts, by separators and by places.
#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/type.h>

#include "tusk/expr/function.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/utf8_text.h"

namespace tusk::expr {
namespace {

/// Characters [first, first + length) counted from 1, as SQL has it: what lies before the text
/// counts too.
Status Substring(std::string_view text, int64_t first, int64_t length, std::string* out) {
  int64_t end = 0;
  if (__builtin_add_overflow(first, length, &end)) end = std::numeric_limits<int64_t>::max();
  const int64_t begin = std::max<int64_t>(first, 1);
  if (end <= begin) return Status::OK();
  const size_t from = OffsetOfCharacter(text, begin - 1);
  const std::string_view rest = text.substr(from);
  out->append(rest.substr(0, OffsetOfCharacter(rest, end - begin)));
  return Status::OK();
}

Result<NodePtr> BindSubstring(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call, 1));
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [](const Rows& rows, int64_t row, std::string* out) -> Status {
                        const int64_t length = rows.size() == 3
                                                   ? rows.Integer(2, row)
                                                   : std::numeric_limits<int64_t>::max();
                        if (length < 0)
                          return InvalidArgument("the length ", length, " of a part is negative");
                        return Substring(rows.Text(0, row), rows.Integer(1, row), length, out);
                      });
}

/// The first or last characters; a negative count leaves so many out.
Result<NodePtr> TakeEnd(const Binder& binder, const Call& call, bool is_left) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call, 1));
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [is_left](const Rows& rows, int64_t row, std::string* out) {
                        const std::string_view text = rows.Text(0, row);
                        const int64_t size = CountCharacters(text);
                        const int64_t asked = rows.Integer(1, row);
                        const int64_t count =
                            asked < 0 ? std::max<int64_t>(0, asked + size) : std::min(asked, size);
                        if (is_left) {
                          out->append(text.substr(0, OffsetOfCharacter(text, count)));
                        } else {
                          out->append(text.substr(OffsetOfCharacter(text, size - count)));
                        }
                        return Status::OK();
                      });
}
Result<NodePtr> BindLeft(const Binder& binder, const Call& call) {
  return TakeEnd(binder, call, true);
}
Result<NodePtr> BindRight(const Binder& binder, const Call& call) {
  return TakeEnd(binder, call, false);
}

Result<NodePtr> BindSplitPart(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call, 2));
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [](const Rows& rows, int64_t row, std::string* out) -> Status {
                        const std::string_view text = rows.Text(0, row);
                        const std::string_view separator = rows.Text(1, row);
                        const int64_t number = rows.Integer(2, row);
                        if (number == 0)
                          return InvalidArgument("split_part counts parts from 1, or from -1");
                        std::vector<std::string_view> parts;
                        size_t begin = 0;
                        while (!separator.empty()) {
                          const size_t at = text.find(separator, begin);
                          if (at == std::string_view::npos) break;
                          parts.push_back(text.substr(begin, at - begin));
                          begin = at + separator.size();
                        }
                        parts.push_back(text.substr(begin));
                        const auto count = static_cast<int64_t>(parts.size());
                        const int64_t index = number > 0 ? number - 1 : count + number;
                        if (index >= 0 && index < count)
                          out->append(parts[static_cast<size_t>(index)]);
                        return Status::OK();
                      });
}

/// What stands before the separator that comes as the count says, from the end if it is negative.
std::string_view BeforeSeparator(std::string_view text, std::string_view separator, int64_t count) {
  if (separator.empty() || count == 0) return {};
  const bool is_from_end = count < 0;
  size_t at = is_from_end ? text.size() : 0;
  for (uint64_t left = is_from_end ? uint64_t{0} - static_cast<uint64_t>(count)
                                   : static_cast<uint64_t>(count);
       left > 0; --left) {
    if (is_from_end) {
      const size_t found = at < separator.size() ? std::string_view::npos
                                                 : text.rfind(separator, at - separator.size());
      if (found == std::string_view::npos) return text;
      if (left == 1) return text.substr(found + separator.size());
      at = found;
    } else {
      const size_t found = text.find(separator, at);
      if (found == std::string_view::npos) return text;
      if (left == 1) return text.substr(0, found);
      at = found + separator.size();
    }
  }
  return text;
}

Result<NodePtr> BindSubstrIndex(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call, 2));
  return MakeTextCall(
      binder, call.span, std::move(arguments), [](const Rows& rows, int64_t row, std::string* out) {
        out->append(BeforeSeparator(rows.Text(0, row), rows.Text(1, row), rows.Integer(2, row)));
        return Status::OK();
      });
}

/// The number from 1 of a text among those between commas, or 0.
int64_t FindInSet(std::string_view text, std::string_view set) {
  for (int64_t number = 1;; ++number) {
    const size_t comma = set.find(',');
    if (set.substr(0, comma) == text) return number;
    if (comma == std::string_view::npos) return 0;
    set.remove_prefix(comma + 1);
  }
}

Result<NodePtr> BindFindInSet(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call, 2));
  return MakeIntegerCall(
      binder, call.span, std::move(arguments),
      [](const Rows& rows, int64_t row) { return FindInSet(rows.Text(0, row), rows.Text(1, row)); },
      arrow::int32());
}

/// Puts a text in the place of so many characters of another, by default of as many as it has.
Result<NodePtr> BindOverlay(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call, 2));
  return MakeTextCall(
      binder, call.span, std::move(arguments),
      [](const Rows& rows, int64_t row, std::string* out) -> Status {
        const std::string_view text = rows.Text(0, row);
        const std::string_view put = rows.Text(1, row);
        const int64_t start = rows.Integer(2, row);
        if (start < 1) return InvalidArgument("characters count from 1, there is none at ", start);
        const int64_t count = rows.size() > 3 ? rows.Integer(3, row) : CountCharacters(put);
        int64_t rest = 0;
        if (__builtin_add_overflow(start - 1, count, &rest)) {
          rest = std::numeric_limits<int64_t>::max();
        }
        out->append(text.substr(0, OffsetOfCharacter(text, start - 1)));
        out->append(put);
        out->append(text.substr(OffsetOfCharacter(text, std::max<int64_t>(rest, 0))));
        return Status::OK();
      });
}

constexpr std::array kFunctions = {
    FunctionEntry{"substr", 2, 3, BindSubstring},
    FunctionEntry{"left", 2, 2, BindLeft},
    FunctionEntry{"right", 2, 2, BindRight},
    FunctionEntry{"split_part", 3, 3, BindSplitPart},
    FunctionEntry{"substr_index", 3, 3, BindSubstrIndex},
    FunctionEntry{"substring_index", 3, 3, BindSubstrIndex},
    FunctionEntry{"find_in_set", 2, 2, BindFindInSet},
    FunctionEntry{"overlay", 3, 4, BindOverlay},
};

}  // namespace

std::span<const FunctionEntry> TextPartFunctions() { return kFunctions; }

}  // namespace tusk::expr
