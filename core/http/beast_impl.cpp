// SPDX-License-Identifier: Apache-2.0
// The one translation unit that holds Beast's compiled part.
#include <boost/beast/src.hpp>
