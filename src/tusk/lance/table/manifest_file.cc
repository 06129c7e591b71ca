#include "tusk/lance/table/manifest_file.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/io/last_change.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kVersionsFolder = "_versions";
constexpr std::string_view kVersionHint = "_versions/latest_version_hint.json";
constexpr std::string_view kTransactionsFolder = "_transactions";
constexpr std::string_view kExtension = ".manifest";
constexpr size_t kV2Digits = 20;
constexpr std::string_view kMagic = "LANC";
constexpr int64_t kTailSize = 16;
constexpr int64_t kLengthSize = 4;
constexpr int64_t kReadAhead = 64 << 10;
/// Versions with this bit are detached from the table's history.
constexpr uint64_t kDetachedBit = uint64_t{1} << 63;

/// The manifest's own place in a file of `file_size` bytes, checked.
Result<int64_t> ManifestPosition(std::string_view tail, int64_t file_size) {
  if (file_size < kTailSize + kLengthSize || tail.size() < static_cast<size_t>(kTailSize)) {
    return Corrupt("a manifest file of ", file_size, " bytes is too short");
  }
  if (!tail.ends_with(kMagic)) return Corrupt("manifest file does not end in ", kMagic);
  const auto position = LoadLittle<uint64_t>(tail, tail.size() - kTailSize);
  const auto last = static_cast<uint64_t>(file_size - kTailSize - kLengthSize);
  if (position > last) {
    return Corrupt("manifest at ", position, " is outside a file of ", file_size, " bytes");
  }
  return static_cast<int64_t>(position);
}

/// The message behind the length at `position`.
Result<std::shared_ptr<arrow::Buffer>> ReadMessage(const io::ObjectReader& reader,
                                                   uint64_t position,
                                                   const OperationContext& context) {
  const int64_t size = reader.size();
  if (size < kLengthSize || position > static_cast<uint64_t>(size - kLengthSize)) {
    return Corrupt(reader.path(), ": section at ", position, " is outside a file of ", size,
                   " bytes");
  }
  const auto offset = static_cast<int64_t>(position);
  ARROW_ASSIGN_OR_RAISE(auto prefix,
                        reader.ReadOne({.offset = offset, .length = kLengthSize}, context));
  const int64_t length = LoadLittle<uint32_t>(prefix->data());
  // ReadOne checks that the message is inside the file.
  return reader.ReadOne({.offset = offset + kLengthSize, .length = length}, context);
}

void AppendMessage(std::string_view message, std::string* out) {
  AppendLittle(static_cast<uint32_t>(message.size()), out);
  out->append(message);
}

}  // namespace

std::string ManifestPath(uint64_t version, ManifestNaming naming) {
  std::string digits = std::to_string(naming == ManifestNaming::kV1 ? version : ~version);
  if (naming == ManifestNaming::kV2) digits.insert(0, kV2Digits - digits.size(), '0');
  return io::JoinPath(kVersionsFolder, digits + std::string(kExtension));
}

uint64_t DetachedVersion(uint64_t number) { return number | kDetachedBit; }

bool IsDetached(uint64_t version) { return (version & kDetachedBit) != 0; }

std::string DetachedManifestPath(uint64_t version) {
  return io::JoinPath(kVersionsFolder, "d" + std::to_string(version) + std::string(kExtension));
}

std::optional<ManifestLocation> ParseManifestName(std::string_view name) {
  if (!name.ends_with(kExtension)) return std::nullopt;
  const std::string_view digits = name.substr(0, name.size() - kExtension.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  if (error != std::errc() || end != digits.end() || digits.empty()) return std::nullopt;
  const ManifestNaming naming =
      digits.size() == kV2Digits ? ManifestNaming::kV2 : ManifestNaming::kV1;
  const uint64_t version = naming == ManifestNaming::kV2 ? ~number : number;
  if (version == 0 || IsDetached(version)) return std::nullopt;
  return ManifestLocation{
      .version = version, .naming = naming, .path = io::JoinPath(kVersionsFolder, name)};
}

Result<std::vector<ManifestLocation>> ListManifestNames(const io::StorePath& table,
                                                        const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto names,
                        table.store->ListNames(io::JoinPath(table.path, kVersionsFolder), context));
  std::vector<ManifestLocation> found;
  for (const std::string& name : names) {
    if (auto location = ParseManifestName(name)) found.push_back(std::move(*location));
  }
  std::ranges::sort(found, {}, [](const ManifestLocation& location) {
    return std::pair(location.version, location.naming == ManifestNaming::kV1);
  });
  return found;
}

Result<std::vector<ManifestLocation>> ListManifests(const io::StorePath& table,
                                                    const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto found, ListManifestNames(table, context));
  const auto [end, last] = std::ranges::unique(found, {}, &ManifestLocation::version);
  found.erase(end, last);
  return found;
}

namespace {

/// The number in `text`, which is a version hint as pylance and WriteVersionHint write it.
std::optional<uint64_t> ParseVersionHint(std::string_view text) {
  constexpr std::string_view kBefore = "{\"version\":";
  uint64_t version = 0;
  if (!text.starts_with(kBefore)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.begin() + kBefore.size(), text.end(), version);
  if (error != std::errc() || std::string_view(end, text.end()) != "}") return std::nullopt;
  if (version == 0 || IsDetached(version)) return std::nullopt;
  return version;
}

/// The latest version, if the version hint tells it beyond doubt: it was written after all else
/// that is in the folder, so that no writer that leaves no hints came later.
Result<std::optional<ManifestLocation>> FindHintedManifest(const io::StorePath& table,
                                                           const OperationContext& context) {
  auto* telling = dynamic_cast<io::LastChangeStore*>(table.store.get());
  if (telling == nullptr) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto text,
                        telling->GetIfLastChange(io::JoinPath(table.path, kVersionHint), context));
  const auto version = text == nullptr ? std::nullopt : ParseVersionHint(std::string_view(*text));
  if (!version) return std::nullopt;
  const auto exists = [&](uint64_t number) -> Result<bool> {
    const std::string path = ManifestPath(number, ManifestNaming::kV2);
    const Status found = table.store->Head(io::JoinPath(table.path, path), context).status();
    if (GetErrorCode(found) == ErrorCode::kNotFound) return false;
    ARROW_RETURN_NOT_OK(found);
    return true;
  };
  // Hints of writers who met each other are written in any order.
  ARROW_ASSIGN_OR_RAISE(const bool has_next, exists(*version + 1));
  if (has_next) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const bool is_there, exists(*version));
  if (!is_there) return std::nullopt;
  return ManifestLocation{.version = *version,
                          .naming = ManifestNaming::kV2,
                          .path = ManifestPath(*version, ManifestNaming::kV2)};
}

}  // namespace

Result<std::optional<ManifestLocation>> FindLatestManifest(const io::StorePath& table,
                                                           const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto hinted, FindHintedManifest(table, context));
  if (hinted) return hinted;
  ARROW_ASSIGN_OR_RAISE(const auto names,
                        table.store->ListNames(io::JoinPath(table.path, kVersionsFolder), context));
  // Of names by the new scheme the first in order is the latest; the others are looked at.
  constexpr size_t kV2Length = kV2Digits + kExtension.size();
  const std::string* first = nullptr;
  std::optional<ManifestLocation> latest;
  for (const std::string& name : names) {
    if (name.size() == kV2Length) {
      if ((first == nullptr || name < *first) && ParseManifestName(name)) first = &name;
    } else if (auto location = ParseManifestName(name)) {
      if (!latest || location->version > latest->version) latest = std::move(location);
    }
  }
  if (first == nullptr) return latest;
  auto location = ParseManifestName(*first);
  if (latest && latest->version > location->version) return latest;
  return location;
}

Result<ManifestLocation> FindManifest(const io::StorePath& table, uint64_t version,
                                      const OperationContext& context) {
  if (IsDetached(version)) {
    std::string path = DetachedManifestPath(version);
    ARROW_RETURN_NOT_OK(table.store->Head(io::JoinPath(table.path, path), context));
    return ManifestLocation{.version = version, .path = std::move(path)};
  }
  for (const ManifestNaming naming : {ManifestNaming::kV2, ManifestNaming::kV1}) {
    std::string path = ManifestPath(version, naming);
    const auto found = table.store->Head(io::JoinPath(table.path, path), context);
    if (found.ok()) {
      return ManifestLocation{.version = version, .naming = naming, .path = std::move(path)};
    }
    if (GetErrorCode(found.status()) != ErrorCode::kNotFound) return found.status();
  }
  return NotFound("table at '", table.path, "' has no version ", version);
}

std::string SerializeManifestFile(Manifest* manifest, std::string_view index_section,
                                  std::string_view transaction) {
  std::string file;
  manifest->index_section.reset();
  manifest->transaction_section.reset();
  if (!index_section.empty()) {
    manifest->index_section = file.size();
    AppendMessage(index_section, &file);
  }
  if (!transaction.empty()) {
    manifest->transaction_section = file.size();
    AppendMessage(transaction, &file);
  }
  const uint64_t position = file.size();
  std::string message = SerializeManifest(*manifest);
  if (message.empty()) return message;
  AppendMessage(message, &file);
  AppendLittle(position, &file);
  AppendLittle(uint16_t{0}, &file);
  AppendLittle(uint16_t{2}, &file);
  file.append(kMagic);
  return file;
}

Result<Manifest> ParseManifestFile(std::string_view tail, int64_t file_size, int64_t* read_more) {
  ARROW_ASSIGN_OR_RAISE(const int64_t position, ManifestPosition(tail, file_size));
  const int64_t needed = file_size - position;
  *read_more = needed > static_cast<int64_t>(tail.size()) ? needed : 0;
  if (*read_more > 0) return Manifest{};
  tail.remove_prefix(tail.size() - needed);
  const int64_t length = LoadLittle<uint32_t>(tail, 0);
  if (length != needed - kLengthSize - kTailSize) {
    return Corrupt("manifest at ", position, " says ", length, " bytes, the file has ",
                   needed - kLengthSize - kTailSize);
  }
  return ParseManifest(tail.substr(kLengthSize, length));
}

Result<Manifest> ReadManifest(const io::StorePath& table, std::string_view path,
                              const OperationContext& context) {
  const std::string full = io::JoinPath(table.path, path);
  ARROW_ASSIGN_OR_RAISE(const io::OpenedObject object,
                        table.store->Open(full, kReadAhead, context));
  const int64_t size = object.reader->size();
  int64_t read_more = 0;
  auto manifest = ParseManifestFile(std::string_view(*object.tail), size, &read_more);
  if (manifest.ok() && read_more > 0) {
    ARROW_ASSIGN_OR_RAISE(
        auto tail,
        object.reader->ReadOne({.offset = size - read_more, .length = read_more}, context));
    manifest = ParseManifestFile(std::string_view(*tail), size, &read_more);
  }
  if (!manifest.ok()) return WithContext(manifest.status(), full);
  return manifest;
}

Result<std::string> ReadIndexSection(const io::StorePath& table, std::string_view path,
                                     const Manifest& manifest, const OperationContext& context) {
  if (!manifest.index_section) return std::string();
  ARROW_ASSIGN_OR_RAISE(const io::OpenedObject object,
                        table.store->Open(io::JoinPath(table.path, path), 0, context));
  ARROW_ASSIGN_OR_RAISE(auto section,
                        ReadMessage(*object.reader, *manifest.index_section, context));
  return section->ToString();
}

Result<Transaction> ReadTransaction(const io::StorePath& table, std::string_view path,
                                    const Manifest& manifest, const OperationContext& context) {
  std::shared_ptr<arrow::Buffer> bytes;
  std::string from = io::JoinPath(table.path, path);
  if (manifest.transaction_section) {
    ARROW_ASSIGN_OR_RAISE(const io::OpenedObject object, table.store->Open(from, 0, context));
    ARROW_ASSIGN_OR_RAISE(bytes,
                          ReadMessage(*object.reader, *manifest.transaction_section, context));
  } else if (!manifest.transaction_file.empty()) {
    from = io::JoinPath(io::JoinPath(table.path, kTransactionsFolder), manifest.transaction_file);
    ARROW_ASSIGN_OR_RAISE(bytes, table.store->Get(from, context));
  } else {
    return NotFound(from, ": version ", manifest.version, " does not say what changed in it");
  }
  auto transaction = ParseTransaction(std::string_view(*bytes));
  if (!transaction.ok()) return WithContext(transaction.status(), from);
  return transaction;
}

}  // namespace tusk::lance
