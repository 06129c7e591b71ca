# Finds the Arrow C++ libraries and headers inside the pyarrow wheel of Python_EXECUTABLE, so that
# this build and Python share one libarrow. Defines Arrow::arrow, ::compute, ::acero, ::parquet,
# ::dataset and the variable PyArrowCpp_ROOT.
execute_process(
  COMMAND "${Python_EXECUTABLE}" -c
          "import importlib.util as u, os; print(os.path.dirname(u.find_spec('pyarrow').origin))"
  OUTPUT_VARIABLE PyArrowCpp_ROOT
  OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE _pyarrow_missing
  ERROR_QUIET)
if(_pyarrow_missing)
  set(PyArrowCpp_ROOT "")
endif()
set(PyArrowCpp_INCLUDE_DIR "${PyArrowCpp_ROOT}/include")
if(EXISTS "${PyArrowCpp_INCLUDE_DIR}/arrow/util/config.h")
  file(STRINGS "${PyArrowCpp_INCLUDE_DIR}/arrow/util/config.h" _arrow_config
       REGEX "define ARROW_(SO_VERSION|VERSION_STRING) ")
  string(REGEX REPLACE ".*ARROW_SO_VERSION \"([0-9]+)\".*" "\\1" _arrow_so "${_arrow_config}")
  string(REGEX REPLACE ".*ARROW_VERSION_STRING \"([0-9.]+)\".*" "\\1" PyArrowCpp_VERSION
                       "${_arrow_config}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  PyArrowCpp
  REQUIRED_VARS PyArrowCpp_ROOT PyArrowCpp_INCLUDE_DIR
  VERSION_VAR PyArrowCpp_VERSION)

function(_pyarrow_library name file)
  if(NOT TARGET Arrow::${name})
    add_library(Arrow::${name} SHARED IMPORTED GLOBAL)
    set_target_properties(
      Arrow::${name}
      PROPERTIES IMPORTED_LOCATION "${PyArrowCpp_ROOT}/lib${file}.so.${_arrow_so}"
                 INTERFACE_INCLUDE_DIRECTORIES "${PyArrowCpp_INCLUDE_DIR}"
                 INTERFACE_COMPILE_FEATURES cxx_std_20)
    if(ARGN)
      set_target_properties(Arrow::${name} PROPERTIES INTERFACE_LINK_LIBRARIES "${ARGN}")
    endif()
  endif()
endfunction()
_pyarrow_library(arrow arrow)
_pyarrow_library(compute arrow_compute Arrow::arrow)
_pyarrow_library(acero arrow_acero Arrow::compute)
_pyarrow_library(parquet parquet Arrow::arrow)
_pyarrow_library(dataset arrow_dataset "Arrow::acero;Arrow::parquet")
