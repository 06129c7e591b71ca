#include "tusk/base/result.h"

#include <array>
#include <memory>
#include <string>

#include "tusk/base/final_error.h"

namespace tusk {
namespace {

constexpr const char* kDetailType = "tusk::ErrorCode";

class ErrorDetail final : public arrow::StatusDetail {
 public:
  ErrorDetail(ErrorCode code, bool is_final) : code_(code), is_final_(is_final) {}
  const char* type_id() const override { return kDetailType; }
  std::string ToString() const override { return std::string(ErrorCodeName(code_)); }
  ErrorCode code() const { return code_; }
  bool is_final() const { return is_final_; }

 private:
  ErrorCode code_;
  bool is_final_;
};

/// Null if the status has no detail of ours.
const ErrorDetail* DetailOf(const Status& status) {
  if (status.detail() == nullptr) return nullptr;
  if (std::string_view(status.detail()->type_id()) != kDetailType) return nullptr;
  return static_cast<const ErrorDetail*>(status.detail().get());
}

/// The closest of Arrow's own codes, for callers that only know those.
arrow::StatusCode ToArrow(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return arrow::StatusCode::Invalid;
    case ErrorCode::kUnsupported:
      return arrow::StatusCode::NotImplemented;
    case ErrorCode::kAlreadyExists:
      return arrow::StatusCode::AlreadyExists;
    case ErrorCode::kCancelled:
      return arrow::StatusCode::Cancelled;
    case ErrorCode::kOutOfBudget:
      return arrow::StatusCode::OutOfMemory;
    case ErrorCode::kNotFound:
    case ErrorCode::kCommitConflict:
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo:
      return arrow::StatusCode::IOError;
  }
  return arrow::StatusCode::UnknownError;
}

}  // namespace

std::string_view ErrorCodeName(ErrorCode code) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "InvalidArgument", "NotFound", "AlreadyExists", "CommitConflict", "Corrupt",
      "Unsupported",     "Io",       "Cancelled",     "OutOfBudget"};
  return kNames[static_cast<size_t>(code)];
}

Status MakeError(ErrorCode code, std::string message) {
  return {ToArrow(code), std::move(message),
          std::make_shared<ErrorDetail>(code, /*is_final=*/false)};
}

std::optional<ErrorCode> GetErrorCode(const Status& status) {
  if (status.ok()) return std::nullopt;
  if (const ErrorDetail* detail = DetailOf(status)) return detail->code();
  switch (status.code()) {
    case arrow::StatusCode::IOError:
      return ErrorCode::kIo;
    case arrow::StatusCode::NotImplemented:
      return ErrorCode::kUnsupported;
    case arrow::StatusCode::OutOfMemory:
      return ErrorCode::kOutOfBudget;
    case arrow::StatusCode::Cancelled:
      return ErrorCode::kCancelled;
    case arrow::StatusCode::AlreadyExists:
      return ErrorCode::kAlreadyExists;
    default:
      return ErrorCode::kInvalidArgument;
  }
}

Status AsFinal(const Status& error) {
  const auto code = GetErrorCode(error);
  if (!code) return error;
  return error.WithDetail(std::make_shared<ErrorDetail>(*code, /*is_final=*/true));
}

bool IsFinal(const Status& error) {
  const ErrorDetail* detail = DetailOf(error);
  return detail != nullptr && detail->is_final();
}

Status WithContext(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  return status.WithMessage(context, ": ", status.message());
}

}  // namespace tusk
