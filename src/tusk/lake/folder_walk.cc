#include "tusk/lake/folder_walk.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace tusk::lake {
namespace {

namespace fs = std::filesystem;

/// Adds what `entry` is: a file, one to skip, or a folder that waits to be listed.
void Sort(const fs::directory_entry& entry, FoundFiles* found, std::vector<fs::path>* folders) {
  const std::string& path = entry.path().native();
  if (entry.path().filename().native().starts_with('.')) return;
  std::error_code error;
  const bool is_link = entry.is_symlink(error);
  const fs::file_status status = entry.status(error);
  switch (status.type()) {
    case fs::file_type::regular:
      found->paths.push_back(path);
      return;
    case fs::file_type::directory:
      if (!is_link) folders->push_back(entry.path());
      return;
    case fs::file_type::not_found:
      // Without a link it was there when the folder was listed and is gone by now: not ours.
      if (is_link) found->skipped.push_back({path, "the link points to nothing"});
      return;
    case fs::file_type::none:
    case fs::file_type::unknown:
      found->skipped.push_back({path, "cannot be looked at: " + error.message()});
      return;
    default:
      found->skipped.push_back({path, "is not a regular file"});
  }
}

}  // namespace

Result<FoundFiles> FindFiles(std::string_view folder, const OperationContext& context) {
  std::error_code error;
  const fs::path root(folder);
  const fs::file_status status = fs::status(root, error);
  if (!fs::status_known(status)) {
    return IoError("cannot look at '", folder, "': ", error.message());
  }
  if (!fs::exists(status)) return NotFound("no folder at '", folder, "'");
  if (!fs::is_directory(status)) return InvalidArgument("'", folder, "' is not a folder");
  FoundFiles found;
  std::vector<fs::path> folders = {root};
  while (!folders.empty()) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const fs::path current = std::move(folders.back());
    folders.pop_back();
    fs::directory_iterator entry(current, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      Sort(*entry, &found, &folders);
    }
    if (!error) continue;
    if (current == root) return IoError("cannot list '", folder, "': ", error.message());
    found.skipped.push_back({current.native(), "cannot be listed: " + error.message()});
  }
  std::ranges::sort(found.paths);
  std::ranges::sort(found.skipped, {}, &SkippedFile::path);
  return found;
}

}  // namespace tusk::lake
