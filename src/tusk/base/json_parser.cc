#include "tusk/base/json_parser.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "tusk/base/utf8.h"

namespace tusk {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Whether a key without quotes may have `c`.
bool IsKeyCharacter(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return IsDigit(c) || (lower >= 'a' && lower <= 'z') || c == '_' || c == '$' ||
         static_cast<uint8_t>(c) >= 0x80;
}

bool IsHighSurrogate(uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLowSurrogate(uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

void AppendUtf8(uint32_t point, std::string* out) {
  const auto append = [&](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    append(point);
    return;
  }
  if (point < 0x800) {
    append(0xC0 | point >> 6);
  } else if (point < 0x1'0000) {
    append(0xE0 | point >> 12);
    append(0x80 | (point >> 6 & 0x3F));
  } else {
    append(0xF0 | point >> 18);
    append(0x80 | (point >> 12 & 0x3F));
    append(0x80 | (point >> 6 & 0x3F));
  }
  append(0x80 | (point & 0x3F));
}

}  // namespace

Status JsonParser::Parse(std::string_view json) {
  json_ = json;
  at_ = 0;
  key_ = {};
  nodes_.clear();
  open_.clear();
  decoded_.clear();
  if (json.size() >= std::numeric_limits<uint32_t>::max()) {
    return InvalidArgument("JSON text of ", json.size(), " bytes is too long");
  }
  if (!IsUtf8(json)) return InvalidArgument("JSON text of ", json.size(), " bytes is not UTF-8");
  SkipBlanks();
  if (done()) {
    Add(JsonNode::Kind::kNull);
    return Status::OK();
  }
  ARROW_RETURN_NOT_OK(ParseValue());
  while (!open_.empty()) ARROW_RETURN_NOT_OK(Step());
  SkipBlanks();
  if (!done()) return Broken(at_, "more text behind the value");
  return Status::OK();
}

void JsonParser::SkipBlanks() {
  while (!done()) {
    const char c = json_[at_];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f') {
      ++at_;
      continue;
    }
    const std::string_view rest = json_.substr(at_);
    if (rest.starts_with("\\n") || rest.starts_with("\\r") || rest.starts_with("\\t")) {
      at_ += 2;
    } else if (rest.starts_with("\\x0C")) {
      at_ += 4;
    } else {
      return;
    }
  }
}

JsonNode* JsonParser::Add(JsonNode::Kind kind) {
  const auto index = static_cast<uint32_t>(nodes_.size());
  JsonNode& node = nodes_.emplace_back();
  node.kind = kind;
  node.key = key_;
  if (open_.empty()) return &node;
  auto& [container, last_value] = open_.back();
  if (nodes_[container].num_values++ == 0) {
    nodes_[container].first_value = index;
  } else {
    nodes_[last_value].next = index;
  }
  last_value = index;
  return &node;
}

Status JsonParser::ParseValue() {
  SkipBlanks();
  if (done()) return Broken(at_, "a value is missing");
  using enum JsonNode::Kind;
  switch (json_[at_]) {
    case 'n':
    case 'N':
      // Else it may be "nan".
      if (ParseWord("null", kNull).ok()) return Status::OK();
      break;
    case 't':
    case 'T':
      return ParseWord("true", kTrue);
    case 'f':
    case 'F':
      return ParseWord("false", kFalse);
    case '"':
    case '\'': {
      ARROW_ASSIGN_OR_RAISE(const std::string_view text, ParseString());
      Add(kString)->text = text;
      return Status::OK();
    }
    case '[':
      return OpenContainer(kArray);
    case '{':
      return OpenContainer(kObject);
    default:
      break;
  }
  return ParseNumber();
}

Status JsonParser::ParseNumber() {
  const auto number = ParseJsonNumber(json_.substr(at_));
  if (!number) return Broken(at_, "no value begins here");
  at_ += number->parsed;
  Add(JsonNode::Kind::kNumber)->number = *number;
  return Status::OK();
}

Status JsonParser::ParseWord(std::string_view word, JsonNode::Kind kind) {
  const std::string_view rest = json_.substr(at_, word.size());
  if (!std::ranges::equal(word, rest, {}, {}, [](char c) { return static_cast<char>(c | 0x20); })) {
    return Broken(at_, "no value begins here");
  }
  at_ += word.size();
  Add(kind);
  return Status::OK();
}

Status JsonParser::OpenContainer(JsonNode::Kind kind) {
  if (open_.size() == kMaxDepth) return Broken(at_, "nested deeper than ", kMaxDepth);
  ++at_;
  Add(kind);
  open_.push_back({.node = static_cast<uint32_t>(nodes_.size() - 1), .last_value = 0});
  return Status::OK();
}

Status JsonParser::Step() {
  const JsonNode& container = nodes_[open_.back().node];
  const bool is_object = container.kind == JsonNode::Kind::kObject;
  SkipBlanks();
  if (done()) return Broken(at_, is_object ? "an object has no end" : "an array has no end");
  if (json_[at_] == (is_object ? '}' : ']')) {
    ++at_;
    if (is_object) ARROW_RETURN_NOT_OK(CloseObject());
    open_.pop_back();
    return Status::OK();
  }
  if (container.num_values > 0) {
    if (json_[at_] != ',') return Broken(at_, "a comma is missing");
    ++at_;
    SkipBlanks();
  }
  key_ = {};
  if (is_object) {
    ARROW_RETURN_NOT_OK(ParseKey());
    SkipBlanks();
    if (!IsNext(':', ':')) return Broken(at_, "a colon is missing");
    ++at_;
  } else if (IsNext(',', ']')) {
    Add(JsonNode::Kind::kNull);
    return Status::OK();
  }
  return ParseValue();
}

Status JsonParser::CloseObject() {
  JsonNode& object = nodes_[open_.back().node];
  values_.clear();
  for (uint32_t value = object.first_value; value != 0; value = nodes_[value].next) {
    values_.push_back(value);
  }
  const auto key = [&](uint32_t value) { return nodes_[value].key; };
  if (!std::ranges::is_sorted(values_, {}, key)) std::ranges::sort(values_, {}, key);
  const auto twice = std::ranges::adjacent_find(values_, {}, key);
  if (twice != values_.end()) return Broken(at_, "key \"", key(*twice), "\" is in an object twice");
  if (values_.empty()) return Status::OK();
  object.first_value = values_.front();
  for (size_t i = 1; i < values_.size(); ++i) nodes_[values_[i - 1]].next = values_[i];
  nodes_[values_.back()].next = 0;
  return Status::OK();
}

Status JsonParser::ParseKey() {
  if (IsNext('"', '\'')) {
    ARROW_ASSIGN_OR_RAISE(key_, ParseString());
    return Status::OK();
  }
  const size_t begin = at_;
  while (!done() && IsKeyCharacter(json_[at_])) ++at_;
  if (at_ == begin || IsDigit(json_[begin])) return Broken(begin, "no key begins here");
  key_ = json_.substr(begin, at_ - begin);
  return Status::OK();
}

Result<std::string_view> JsonParser::ParseString() {
  const char quote = json_[at_++];
  const auto skip = [&] {
    while (!done() && !IsNext(quote, '\\')) ++at_;
  };
  size_t begin = at_;
  skip();
  if (IsNext(quote, quote)) return json_.substr(begin, at_++ - begin);
  if (decoded_.empty()) decoded_.reserve(json_.size());
  const size_t decoded_begin = decoded_.size();
  while (!done()) {
    decoded_.append(json_, begin, at_ - begin);
    if (json_[at_] == quote) {
      ++at_;
      return std::string_view(decoded_).substr(decoded_begin);
    }
    ARROW_RETURN_NOT_OK(ParseEscape());
    begin = at_;
    skip();
  }
  return Broken(at_, "a string has no end");
}

Status JsonParser::ParseEscape() {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  if (++at_ == json_.size()) return Broken(at_, "an escape has no end");
  if (json_[at_] == 'u') return ParseUnicodeEscape();
  const size_t known = kLetters.find(json_[at_]);
  if (known == kLetters.npos) return Broken(at_, "no escape has this letter");
  decoded_.push_back(kMeant[known]);
  ++at_;
  return Status::OK();
}

Status JsonParser::ParseUnicodeEscape() {
  ARROW_ASSIGN_OR_RAISE(const std::string_view digits, TakeHexDigits());
  uint32_t unit = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), unit, /*base=*/16);
  if (!IsHighSurrogate(unit) && !IsLowSurrogate(unit)) {
    AppendUtf8(unit, &decoded_);
    return Status::OK();
  }
  std::string_view low_digits;
  if (IsHighSurrogate(unit) && json_.substr(at_).starts_with("\\u")) {
    ++at_;
    ARROW_ASSIGN_OR_RAISE(low_digits, TakeHexDigits());
    uint32_t low = 0;
    std::from_chars(low_digits.data(), low_digits.data() + low_digits.size(), low, /*base=*/16);
    if (IsLowSurrogate(low)) {
      AppendUtf8(0x1'0000 + ((unit - 0xD800) << 10 | (low - 0xDC00)), &decoded_);
      return Status::OK();
    }
  }
  decoded_.append("\\u").append(digits);
  if (!low_digits.empty()) decoded_.append("\\u").append(low_digits);
  return Status::OK();
}

Result<std::string_view> JsonParser::TakeHexDigits() {
  constexpr size_t kDigits = 4;
  const size_t begin = at_;
  const bool is_braced = json_.substr(++at_).starts_with('{');
  const std::string_view digits = json_.substr(at_ + (is_braced ? 1 : 0), kDigits);
  const size_t end = at_ + kDigits + (is_braced ? 2 : 0);
  if (digits.size() < kDigits ||
      digits.find_first_not_of("0123456789abcdefABCDEF") != digits.npos || end > json_.size() ||
      (is_braced && json_[end - 1] != '}')) {
    return Broken(begin, "no four hexadecimal digits follow");
  }
  at_ = end;
  return digits;
}

}  // namespace tusk
