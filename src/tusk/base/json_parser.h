#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tusk/base/json_number.h"
#include "tusk/base/result.h"

namespace tusk {

/// A value in a JSON text. Those in an array or object are chained; node 0 is the whole text.
struct JsonNode {
  enum class Kind : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  JsonbNumber number;
  std::string_view text;     ///< of a string, without escapes
  std::string_view key;      ///< of a value in an object
  uint32_t first_value = 0;  ///< of an array or object, the first of `num_values`
  uint32_t num_values = 0;
  uint32_t next = 0;  ///< value in the same array or object; 0 for none
};

/// Parses JSON as pylance does, which takes more than JSON: no text at all is null; words may be in
/// any case; strings may stand in single quotes; keys may be without quotes if they are words of
/// letters, digits, _ and $, no digit first, and of whatever is not ASCII; `[,1,]` is
/// `[null,1,null]`; for numbers see ParseJsonNumber; "\u{1F60}" is "\u1F60"; "\n", "\r", "\t" and
/// "\x0C" outside of strings are blanks, even if they are escapes. A surrogate without another
/// stays as it is written. Objects are sorted by their keys.
class JsonParser {
 public:
  static constexpr size_t kMaxDepth = 10'000;

  /// Parses `json`. InvalidArgument, with the offset, if it is no JSON, not UTF-8, has a key twice
  /// in an object or is nested deeper than kMaxDepth.
  Status Parse(std::string_view json);

  /// The values of the text that was parsed last, which they borrow: each array or object before
  /// what is in it.
  std::span<const JsonNode> nodes() const { return nodes_; }

 private:
  /// An array or object that is not closed yet.
  struct Open {
    uint32_t node;
    uint32_t last_value;
  };

  bool done() const { return at_ == json_.size(); }
  bool IsNext(char a, char b) const { return !done() && (json_[at_] == a || json_[at_] == b); }
  template <typename... Args>
  Status Broken(size_t position, Args&&... args) const {
    return InvalidArgument("JSON at byte ", position, " of ", json_.size(), ": ",
                           std::forward<Args>(args)...);
  }

  void SkipBlanks();
  /// Adds a value to the inner-most array or object.
  JsonNode* Add(JsonNode::Kind kind);
  /// Opens what begins here, or adds it.
  Status ParseValue();
  Status ParseNumber();
  Status ParseWord(std::string_view word, JsonNode::Kind kind);
  Status OpenContainer(JsonNode::Kind kind);
  /// The next value of the inner-most array or object, or its end.
  Status Step();
  Status CloseObject();

  Status ParseKey();
  Result<std::string_view> ParseString();
  Status ParseEscape();
  Status ParseUnicodeEscape();
  /// Four hexadecimal digits, in braces or not, as they are.
  Result<std::string_view> TakeHexDigits();

  std::string_view json_;
  size_t at_ = 0;
  std::vector<JsonNode> nodes_;
  std::vector<Open> open_;
  std::string_view key_;          ///< of the next value
  std::string decoded_;           ///< strings with escapes; never longer than the text
  std::vector<uint32_t> values_;  ///< of an object that is being sorted
};

}  // namespace tusk
