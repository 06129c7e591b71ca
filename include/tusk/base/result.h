#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/result.h>
#include <arrow/status.h>

#include "tusk/export.h"

namespace tusk {

using Status = arrow::Status;
template <typename T>
using Result = arrow::Result<T>;

/// What a caller can act on. Travels as the detail of a Status, next to the message for people.
/// Python exceptions and exit codes are mapped from it, once per edge.
enum class ErrorCode {
  kInvalidArgument,  ///< the caller asked for something that makes no sense; nothing was done
  kNotFound,         ///< no such object, table, version, column
  kAlreadyExists,    ///< the name is taken
  kCommitConflict,   ///< another writer won; reading again and retrying may help
  kCorrupt,          ///< stored bytes break their format
  kUnsupported,      ///< a feature, type, version or flag that this build does not cover
  kIo,               ///< the store failed
  kCancelled,        ///< the stop token was triggered
  kOutOfBudget,      ///< the memory budget of the operation is used up
};

/// The name as in the enumeration, without the k: "NotFound".
TUSK_EXPORT std::string_view ErrorCodeName(ErrorCode code);

/// A failed Status with `code` as its detail. The functions below are the way to make one.
TUSK_EXPORT Status MakeError(ErrorCode code, std::string message);

/// The code of a failed status. A status that Arrow made has none of ours: it is mapped from
/// Arrow's own (IOError to kIo, NotImplemented to kUnsupported, OutOfMemory to kOutOfBudget,
/// Cancelled to kCancelled, everything else to kInvalidArgument). Nothing for an OK status.
TUSK_EXPORT std::optional<ErrorCode> GetErrorCode(const Status& status);

template <typename... Args>
Status InvalidArgument(Args&&... args) {
  return MakeError(ErrorCode::kInvalidArgument,
                   Status::Invalid(std::forward<Args>(args)...).message());
}
template <typename... Args>
Status NotFound(Args&&... args) {
  return MakeError(ErrorCode::kNotFound, Status::Invalid(std::forward<Args>(args)...).message());
}
template <typename... Args>
Status AlreadyExists(Args&&... args) {
  return MakeError(ErrorCode::kAlreadyExists,
                   Status::Invalid(std::forward<Args>(args)...).message());
}
template <typename... Args>
Status CommitConflict(Args&&... args) {
  return MakeError(ErrorCode::kCommitConflict,
                   Status::Invalid(std::forward<Args>(args)...).message());
}
template <typename... Args>
Status Corrupt(Args&&... args) {
  return MakeError(ErrorCode::kCorrupt, Status::Invalid(std::forward<Args>(args)...).message());
}
template <typename... Args>
Status Unsupported(Args&&... args) {
  return MakeError(ErrorCode::kUnsupported, Status::Invalid(std::forward<Args>(args)...).message());
}
template <typename... Args>
Status IoError(Args&&... args) {
  return MakeError(ErrorCode::kIo, Status::Invalid(std::forward<Args>(args)...).message());
}
template <typename... Args>
Status Cancelled(Args&&... args) {
  return MakeError(ErrorCode::kCancelled, Status::Invalid(std::forward<Args>(args)...).message());
}

/// `status` with "`context`: " put before its message; code and detail stay.
TUSK_EXPORT Status WithContext(const Status& status, std::string_view context);

}  // namespace tusk
