#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <nlohmann/json.hpp>

#include "tusk/io/object_store.h"
#include "tusk/lake/label_file.h"

namespace tusk::lake {
namespace {

constexpr std::array<std::string_view, 5> kPathColumns = {"path", "file", "file_name", "filename",
                                                          "image"};
constexpr std::array<std::string_view, 3> kLabelColumns = {"label", "class", "category"};

/// The position of the first of `names` in `header`.
template <typename Names>
std::optional<size_t> FindColumn(const std::vector<std::string>& header, const Names& names) {
  for (const std::string_view name : names) {
    const auto found = std::ranges::find(header, name);
    if (found != header.end()) return found - header.begin();
  }
  return std::nullopt;
}

/// Reads records of separated fields as RFC 4180 has them: quotes around a field that holds a
/// separator, a quote (doubled) or a line break; lines end in LF or CRLF.
class CsvReader {
 public:
  CsvReader(std::string_view text, char separator) : text_(text), separator_(separator) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  /// The line on which the record begins that Next gave last, from 1.
  int64_t line() const { return line_; }

  /// False at the end. InvalidArgument for a quote that does not end.
  Result<bool> Next(std::vector<std::string>* fields) {
    fields->clear();
    if (at_ >= text_.size()) return false;
    line_ = next_line_;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(std::string field, ReadField());
      fields->push_back(std::move(field));
      if (at_ < text_.size() && text_[at_] == separator_) {
        ++at_;
        continue;
      }
      if (at_ < text_.size() && text_[at_] == '\r') ++at_;
      if (at_ < text_.size() && text_[at_] == '\n') ++at_;
      ++next_line_;
      return true;
    }
  }

 private:
  Result<std::string> ReadField() {
    std::string field;
    if (at_ < text_.size() && text_[at_] == '"') {
      ++at_;
      while (true) {
        if (at_ >= text_.size()) {
          return InvalidArgument("line ", line_, ": a quote is opened and not closed");
        }
        const char c = text_[at_++];
        if (c == '\n') ++next_line_;
        if (c != '"') {
          field += c;
        } else if (at_ < text_.size() && text_[at_] == '"') {
          field += text_[at_++];
        } else {
          return field;
        }
      }
    }
    while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' &&
           text_[at_] != '\r') {
      field += text_[at_++];
    }
    return field;
  }

  std::string_view text_;
  char separator_;
  size_t at_ = 0;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
};

/// A member of an object as a label or path: text as it is, numbers and truth values as JSON has
/// them; null is none.
std::optional<std::string> TextOf(const nlohmann::json& value) {
  if (value.is_null()) return std::nullopt;
  return value.is_string() ? value.get<std::string>() : value.dump();
}

template <typename Names>
const nlohmann::json* FindMember(const nlohmann::json& object, const Names& names) {
  for (const std::string_view name : names) {
    const auto member = object.find(name);
    if (member != object.end()) return &*member;
  }
  return nullptr;
}

}  // namespace

Status FileLabels::Add(std::string path, const std::optional<std::string>& label, int64_t line) {
  const auto [entry, is_new] = labels_.emplace(std::move(path), label);
  if (is_new || entry->second == label) return Status::OK();
  return InvalidArgument("line ", line, ": '", entry->first, "' has another label before");
}

Status FileLabels::ReadCsv(std::string_view text, char separator) {
  CsvReader reader(text, separator);
  std::vector<std::string> fields;
  ARROW_RETURN_NOT_OK(reader.Next(&fields));
  const auto path = FindColumn(fields, kPathColumns);
  const auto label = FindColumn(fields, kLabelColumns);
  if (!path || !label) {
    return InvalidArgument(
        "line 1: a header with a column path (or file, file_name, filename, image) and a column "
        "label (or class, category) is needed");
  }
  const size_t columns = fields.size();
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_record, reader.Next(&fields));
    if (!has_record) return Status::OK();
    if (fields.size() == 1 && fields[0].empty()) continue;  // an empty line
    if (fields.size() != columns) {
      return InvalidArgument("line ", reader.line(), " has ", fields.size(), " fields, the header ",
                             columns);
    }
    std::optional<std::string> value;
    if (!fields[*label].empty()) value = std::move(fields[*label]);
    ARROW_RETURN_NOT_OK(Add(std::move(fields[*path]), value, reader.line()));
  }
}

Status FileLabels::ReadJson(std::string_view text) {
  int64_t line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (one.find_first_not_of(" \t\r") == one.npos) continue;
    const auto object =
        nlohmann::json::parse(one.begin(), one.end(), nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return InvalidArgument("line ", line, " is no JSON object");
    const nlohmann::json* path = FindMember(object, kPathColumns);
    const nlohmann::json* label = FindMember(object, kLabelColumns);
    if (path == nullptr || !path->is_string() || label == nullptr) {
      return InvalidArgument("line ", line,
                             " lacks a path (or file, file_name, filename, image) or a label (or "
                             "class, category)");
    }
    ARROW_RETURN_NOT_OK(Add(path->get<std::string>(), TextOf(*label), line));
  }
  return Status::OK();
}

Result<FileLabels> FileLabels::Read(std::string_view path, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const io::StorePath place, io::ResolveUri(path));
  ARROW_ASSIGN_OR_RAISE(const auto bytes, place.store->Get(place.path, context));
  const std::string_view text(*bytes);
  FileLabels labels;
  Status read;
  if (path.ends_with(".csv")) {
    read = labels.ReadCsv(text, ',');
  } else if (path.ends_with(".tsv")) {
    read = labels.ReadCsv(text, '\t');
  } else if (path.ends_with(".json") || path.ends_with(".jsonl") || path.ends_with(".ndjson")) {
    read = labels.ReadJson(text);
  } else {
    read = InvalidArgument("its name must end in .csv, .tsv, .json, .jsonl or .ndjson");
  }
  if (!read.ok()) return WithContext(read, "label file '" + std::string(path) + "'");
  return labels;
}

std::optional<std::string> FileLabels::Find(std::string_view folder, std::string_view path) const {
  std::string_view relative = path;
  if (relative.starts_with(folder)) {
    relative.remove_prefix(folder.size());
    while (relative.starts_with('/')) relative.remove_prefix(1);
  }
  for (const std::string_view key : {relative, path}) {
    const auto found = labels_.find(std::string(key));
    if (found != labels_.end()) return found->second;
  }
  return std::nullopt;
}

}  // namespace tusk::lake
