#include "tusk/io/object_store.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace tusk::io {
namespace {

/// Bytes that a copy holds at a time.
constexpr int64_t kCopyPiece = 8 << 20;

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> ObjectReader::ReadOne(
    ByteRange range, const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(auto handle, Read({&range, 1}, context));
  return handle->Wait(0);
}

Result<std::shared_ptr<arrow::Buffer>> ObjectStore::Get(std::string_view path,
                                                        const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(OpenedObject object, Open(path, 64 << 10, context));
  if (object.tail->size() == object.reader->size()) return object.tail;
  return object.reader->ReadOne({.offset = 0, .length = object.reader->size()}, context);
}

std::string JoinPath(std::string_view base, std::string_view name) {
  std::string path(base);
  if (!path.empty() && path.back() != '/') path.push_back('/');
  path.append(name);
  return path;
}

Status CheckRelativePath(std::string_view path) {
  const auto refused = [&](std::string_view why) {
    return Corrupt("stored path leaves its folder or is malformed (", why, "): '", path, "'");
  };
  if (path.empty()) return refused("empty");
  if (path.front() == '/') return refused("absolute");
  if (path.find('\\') != path.npos) return refused("backslash");
  if (path.find('\0') != path.npos) return refused("NUL byte");
  if (path.find("://") != path.npos) return refused("has a scheme");
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == "..") return refused("segment");
    begin = end + 1;
  }
  return Status::OK();
}

Result<StorePath> ResolveBelow(const StorePath& base, std::string_view path) {
  std::string_view name = path;
  while (name.starts_with('/')) name.remove_prefix(1);
  while (name.ends_with('/')) name.remove_suffix(1);
  if (!CheckRelativePath(name).ok()) {
    return InvalidArgument("'", path, "' is no path below ", base.path);
  }
  return StorePath{.store = base.store, .path = JoinPath(base.path, name)};
}

Status CopyObject(const StorePath& source, const StorePath& target,
                  const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const OpenedObject object, source.store->Open(source.path, 0, context));
  ARROW_ASSIGN_OR_RAISE(const auto writer, target.store->Create(target.path, context));
  const int64_t size = object.reader->size();
  for (int64_t offset = 0; offset < size; offset += kCopyPiece) {
    const ByteRange piece{.offset = offset, .length = std::min(kCopyPiece, size - offset)};
    ARROW_ASSIGN_OR_RAISE(const auto bytes, object.reader->ReadOne(piece, context));
    ARROW_RETURN_NOT_OK(writer->Append({bytes->data(), static_cast<size_t>(bytes->size())}));
  }
  return writer->Finish();
}

namespace {

Result<LocalStoreOptions> ParseLocalStoreOptions(const StorageOptions& options) {
  LocalStoreOptions parsed;
  for (const auto& [name, value] : options) {
    if (name != "memory_map" && name != "durable") {
      return Unsupported("storage option '", name, "' is not supported for local files");
    }
    if (value != "true" && value != "false") {
      return InvalidArgument("storage option '", name, "' must be 'true' or 'false', not '", value,
                             "'");
    }
    (name == "durable" ? parsed.durable : parsed.memory_map) = value == "true";
  }
  return parsed;
}

}  // namespace

Result<StorePath> ResolveUri(std::string_view uri, const StorageOptions& options) {
  if (uri.empty()) return InvalidArgument("location is empty: give a folder");
  const size_t scheme_end = uri.find("://");
  if (scheme_end != uri.npos) {
    const std::string_view scheme = uri.substr(0, scheme_end);
    if (scheme != "file") {
      return Unsupported("object store scheme '", scheme,
                         "' is not supported yet: use a local path or file://");
    }
    uri.remove_prefix(scheme_end + 3);
    if (uri.empty() || uri.front() != '/') {
      return InvalidArgument("file URI without an absolute path: file://", uri);
    }
  } else if (uri.starts_with("file:/")) {
    uri.remove_prefix(5);
  }
  ARROW_ASSIGN_OR_RAISE(const LocalStoreOptions local, ParseLocalStoreOptions(options));
  std::error_code error;
  auto path = std::filesystem::absolute(std::filesystem::path(uri), error);
  if (error) return IoError("cannot make '", uri, "' absolute: ", error.message());
  std::string normal = path.lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return StorePath{.store = MakeLocalStore(local), .path = std::move(normal)};
}

}  // namespace tusk::io
