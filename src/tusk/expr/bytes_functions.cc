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

Status CheckHex(const Binder& binder, const NodePtr& node) {
  ARROW_ASSIGN_OR_RAISE(const std::string encoding, ConstantText(binder, node));
  if (ToLowerAscii(encoding) == "hex") return Status::OK();
  return binder.Error(node->span, "bytes are written in 'hex' only");
}

Result<NodePtr> BindEncode(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckHex(binder, call.arguments[1]));
  ARROW_ASSIGN_OR_RAISE(NodePtr argument, AsBytes(binder, call.arguments[0]));
  return MakeTextCall(binder, call.span, {std::move(argument)},
                      [](const Rows& rows, int64_t row, std::string* out) {
                        AppendHex(rows.Text(0, row), out);
                        return Status::OK();
                      });
}

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

Result<NodePtr> BindDecode(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckHex(binder, call.arguments[1]));
  ARROW_ASSIGN_OR_RAISE(NodePtr argument, AsText(binder, call.arguments[0]));
  return MakeBytesCall(binder, call.span, std::move(argument),
                       [](const Rows& rows, int64_t row, std::string* out) -> Status {
                         const std::string_view text = rows.Text(0, row);
                         for (size_t i = 0; i + 1 < text.size(); i += 2) {
                           const auto high = HexDigit(text[i]);
                           const auto low = HexDigit(text[i + 1]);
                           if (!high || !low) break;
                           *out += static_cast<char>(*high * 16 + *low);
                         }
                         if (2 * out->size() == text.size()) return Status::OK();
                         return InvalidArgument("'", Excerpt(text, {0, text.size()}),
                                                "' is not made of pairs of hexadecimal digits");
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
