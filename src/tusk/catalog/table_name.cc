#include <algorithm>

#include "tusk/catalog/catalog.h"

namespace tusk::catalog {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

std::string_view TableKindName(TableKind kind) {
  return kind == TableKind::kLance ? "lance" : "iceberg";
}

Result<TableName> TableName::Parse(std::string_view text) {
  TableName parsed;
  size_t begin = 0;
  while (true) {
    const size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    if (part.empty() || !std::ranges::all_of(part, IsNameCharacter)) {
      return InvalidArgument("table name '", text,
                             "': every part needs letters, digits, '_' or '-'");
    }
    if (end == text.size()) {
      parsed.name = part;
      break;
    }
    parsed.levels.emplace_back(part);
    begin = end + 1;
  }
  if (parsed.levels.empty()) {
    return InvalidArgument("table name '", text,
                           "' has no namespace: write it as in \"media.digits\"");
  }
  return parsed;
}

std::string TableName::Namespace() const {
  std::string text;
  for (const std::string& level : levels) {
    if (!text.empty()) text += '.';
    text += level;
  }
  return text;
}

std::string TableName::ToString() const { return Namespace() + "." + name; }

}  // namespace tusk::catalog
