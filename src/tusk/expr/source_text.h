#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"

namespace tusk::expr {

/// The bytes [begin, end) of the text of an expression.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

/// The part of `text` at `at`, cut to a length that fits into a message.
std::string Excerpt(std::string_view text, Span at);

/// InvalidArgument with the place of `at` in `text` (counted in characters, from 1), what stands
/// there, and `message`; with that alone if there is no text.
Status ErrorAt(std::string_view text, Span at, std::string_view message);

/// `status` with the same place put before its message; its code stays.
Status WithPlace(const Status& status, std::string_view text, Span at);

/// The names of `known` that a writer of `name` may have meant, the nearest first, at most three,
/// as ", did you mean 'x' or 'y'?"; empty if none is near.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& known);

/// Changes of single characters, and swaps of two neighbours, that make `b` of `a`, case aside.
size_t EditDistance(std::string_view a, std::string_view b);

bool EqualInAnyCase(std::string_view a, std::string_view b);
std::string ToLowerAscii(std::string_view text);

}  // namespace tusk::expr
