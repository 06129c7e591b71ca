// Digests, and bytes as text.
#include <array>
#include <optional>
#include <utility>

#include <arrow/builder.h>
#include <arrow/type.h>

#include "tusk/base/digest.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/row_kernel.h"

namespace tusk::expr {
namespace {

using arrow::Datum;

/// A text, or bytes as binary.
Result<NodePtr> AsBytes(const Binder& binder, const NodePtr& node) {
  if (node->type->id() == arrow::Type::FIXED_SIZE_BINARY) {
    return binder.Widen(node, arrow::binary());
  }
  return IsBytes(*node->type) ? Result<NodePtr>(node) : AsText(binder, node);
}

/// Like MakeTextCall, but the values are bytes.
Result<NodePtr> MakeBytesCall(const Binder& binder, Span span, NodePtr argument,
                              TextOfRow function) {
  Kernel kernel = [function = std::move(function)](const std::vector<Datum>& arguments,
                                                   const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, Rows::Make(arguments, evaluation));
    arrow::BinaryBuilder builder(evaluation.context->pool);
    std::string bytes;
    for (int64_t row = 0; row < rows.length(); ++row) {
      if (rows.HasNull(row)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      bytes.clear();
      ARROW_RETURN_NOT_OK(function(rows, row, &bytes));
      ARROW_RETURN_NOT_OK(builder.Append(bytes));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, rows.is_scalar());
  };
  return binder.MakeCall(span, arrow::binary(), {std::move(argument)}, std::move(kernel));
}

void AppendHex(std::string_view bytes, std::string* out) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *out += kDigits[byte >> 4];
    *out += kDigits[byte & 0x0F];
  }
}

Result<NodePtr> MakeDigest(const Binder& binder, const Call& call, std::string algorithm) {
  ARROW_ASSIGN_OR_RAISE(NodePtr argument, AsBytes(binder, call.arguments[0]));
  return MakeBytesCall(binder, call.span, std::move(argument),
                       [algorithm = std::move(algorithm)](const Rows& rows, int64_t row,
                                                          std::string* out) -> Status {
                         ARROW_ASSIGN_OR_RAISE(*out, Digest(algorithm, rows.Text(0, row)));
                         return Status::OK();
                       });
}

Result<NodePtr> BindSha(const Binder& binder, const Call& call) {
  return MakeDigest(binder, call, call.name);
}

Result<NodePtr> BindDigest(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const std::string algorithm, ConstantText(binder, call.arguments[1]));
  const std::string lower = ToLowerAscii(algorithm);
  if (const auto known = Digest(lower, ""); !known.ok()) {
    return binder.Error(call.arguments[1]->span, known.status().message());
  }
  return MakeDigest(binder, call, lower);
}

/// As pylance has it: md5 gives hexadecimal digits, the others bytes.
Result<NodePtr> BindMd5(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(NodePtr argument, AsBytes(binder, call.arguments[0]));
  return MakeTextCall(binder, call.span, {std::move(argument)},
                      [](const Rows& rows, int64_t row, std::string* out) -> Status {
                        ARROW_ASSIGN_OR_RAISE(const std::string digest,
                                              Digest("md5", rows.Text(0, row)));
                        AppendHex(digest, out);
                        return Status::OK();
                      });
}

/// How bytes are written as text.
enum class Encoding { kHex, kBase64, kPaddedBase64 };

Result<Encoding> EncodingOf(const Binder& binder, const NodePtr& node) {
  ARROW_ASSIGN_OR_RAISE(std::string encoding, ConstantText(binder, node));
  encoding = ToLowerAscii(encoding);
  if (encoding == "hex") return Encoding::kHex;
  if (encoding == "base64") return Encoding::kBase64;
  if (encoding == "base64pad") return Encoding::kPaddedBase64;
  return binder.Error(node->span, "bytes are written in 'hex', 'base64' or 'base64pad'");
}

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void AppendBase64(std::string_view bytes, bool is_padded, std::string* out) {
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < group.size() ? static_cast<unsigned char>(group[j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      if (j <= group.size()) {
        out->push_back(kBase64Digits[bits >> (18 - 6 * j) & 0x3F]);
      } else if (is_padded) {
        out->push_back('=');
      }
    }
  }
}

/// Digits with padding behind them or not; false if the text is not made of them.
bool ReadBase64(std::string_view text, std::string* out) {
  if (text.size() % 4 == 0) {
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit = kBase64Digits.find(c);
    if (digit == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out->push_back(static_cast<char>(bits >> count & 0xFF));
  }
  // What is left of the last digit is zeros, and less than a digit.
  return count < 6 && (bits & ((1U << count) - 1)) == 0;
}

Result<NodePtr> BindEncode(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const Encoding encoding, EncodingOf(binder, call.arguments[1]));
  ARROW_ASSIGN_OR_RAISE(NodePtr argument, AsBytes(binder, call.arguments[0]));
  return MakeTextCall(binder, call.span, {std::move(argument)},
                      [encoding](const Rows& rows, int64_t row, std::string* out) {
                        if (encoding == Encoding::kHex) {
                          AppendHex(rows.Text(0, row), out);
                        } else {
                          AppendBase64(rows.Text(0, row), encoding == Encoding::kPaddedBase64, out);
                        }
                        return Status::OK();
                      });
}

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool ReadHex(std::string_view text, std::string* out) {
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const auto high = HexDigit(text[i]);
    const auto low = HexDigit(text[i + 1]);
    if (!high || !low) return false;
    *out += static_cast<char>(*high * 16 + *low);
  }
  return text.size() % 2 == 0;
}

Result<NodePtr> BindDecode(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const Encoding encoding, EncodingOf(binder, call.arguments[1]));
  ARROW_ASSIGN_OR_RAISE(NodePtr argument, AsBytes(binder, call.arguments[0]));
  return MakeBytesCall(binder, call.span, std::move(argument),
                       [encoding](const Rows& rows, int64_t row, std::string* out) -> Status {
                         const std::string_view text = rows.Text(0, row);
                         const bool is_hex = encoding == Encoding::kHex;
                         if (is_hex ? ReadHex(text, out) : ReadBase64(text, out))
                           return Status::OK();
                         return InvalidArgument("'", Excerpt(text, {0, text.size()}),
                                                is_hex ? "' is not made of pairs of hexadecimal "
                                                         "digits"
                                                       : "' is not made of base64 digits");
                       });
}

constexpr std::array kFunctions = {
    FunctionEntry{"md5", 1, 1, BindMd5},       FunctionEntry{"sha224", 1, 1, BindSha},
    FunctionEntry{"sha256", 1, 1, BindSha},    FunctionEntry{"sha384", 1, 1, BindSha},
    FunctionEntry{"sha512", 1, 1, BindSha},    FunctionEntry{"digest", 2, 2, BindDigest},
    FunctionEntry{"encode", 2, 2, BindEncode}, FunctionEntry{"decode", 2, 2, BindDecode},
};

}  // namespace

std::span<const FunctionEntry> BytesFunctions() { return kFunctions; }

}  // namespace tusk::expr
