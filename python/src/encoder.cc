// Binds include/tusk/lake/encoder.h.
#include "tusk/lake/encoder.h"

#include <array>

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"
#include "python_encoder.h"

namespace tusk::python {
namespace {

/// The vector of one file, decoded first if the encoder works on pictures.
Result<std::vector<float>> EncodeOne(lake::Encoder& encoder, std::span<const uint8_t> bytes,
                                     const OperationContext& context) {
  std::vector<float> vector(static_cast<size_t>(encoder.dimension()));
  if (encoder.input() == lake::EncoderInput::kFiles) {
    const std::array<std::span<const uint8_t>, 1> files = {bytes};
    ARROW_RETURN_NOT_OK(encoder.EncodeFiles(files, vector, context));
    return vector;
  }
  ARROW_ASSIGN_OR_RAISE(lake::Image image, lake::DecodeImage(bytes));
  const std::array<lake::Image, 1> images = {std::move(image)};
  ARROW_RETURN_NOT_OK(encoder.Encode(images, vector, context));
  return vector;
}

lake::EncoderInput ParseInput(std::string_view input) {
  if (input == "pictures") return lake::EncoderInput::kPictures;
  if (input == "files") return lake::EncoderInput::kFiles;
  throw StatusError(
      InvalidArgument("an encoder works on 'pictures' or 'files', not on '", input, "'"));
}

std::shared_ptr<lake::Encoder> MakePythonEncoder(nb::object function, std::string model,
                                                 int32_t dimension, std::string_view input,
                                                 int64_t batch) {
  if (model.empty() || dimension < 1 || batch < 1) {
    throw StatusError(
        InvalidArgument("an encoder needs the name of its model, and a dimension and "
                        "a batch of at least 1"));
  }
  return std::make_shared<PythonEncoder>(std::move(function), std::move(model), dimension,
                                         ParseInput(input), batch);
}

}  // namespace

void BindEncoder(nb::module_& module) {
  nb::class_<lake::Encoder>(module, "Encoder")
      .def_prop_ro("model", &lake::Encoder::model)
      .def_prop_ro("dimension", &lake::Encoder::dimension)
      .def_prop_ro("input",
                   [](const lake::Encoder& encoder) {
                     return encoder.input() == lake::EncoderInput::kFiles ? "files" : "pictures";
                   })
      .def(
          "encode",
          [](lake::Encoder& encoder, const nb::bytes& file) {
            const std::span bytes(static_cast<const uint8_t*>(file.data()), file.size());
            return RaisingOf(&encoder, [&] {
              return Call().Run([&](const OperationContext& context) {
                return EncodeOne(encoder, bytes, context);
              });
            });
          },
          nb::arg("file"));
  module.def("python_encoder", &MakePythonEncoder, nb::arg("function"), nb::arg("model"),
             nb::arg("dimension"), nb::arg("input"), nb::arg("batch"));
  nb::class_<lake::Image>(module, "Image")
      .def_ro("width", &lake::Image::width)
      .def_ro("height", &lake::Image::height)
      .def_ro("media_type", &lake::Image::media_type)
      .def_prop_ro("rgb", [](const lake::Image& image) {
        return nb::bytes(image.rgb.data(), image.rgb.size());
      });
  module.def(
      "decode_image",
      [](const nb::bytes& image) {
        const std::span bytes(static_cast<const uint8_t*>(image.data()), image.size());
        return Call().Run([&](const OperationContext&) { return lake::DecodeImage(bytes); });
      },
      nb::arg("image"));
  module.def(
      "make_encoder", [](std::string_view name) { return OrRaise(lake::MakeEncoder(name)); },
      nb::arg("name"));
}

}  // namespace tusk::python
