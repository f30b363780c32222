/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For cppcheck alone: macros of library headers that it does not read. */
#define json_array_foreach(array, index, value)                                                                        \
    for (index = 0; index < json_array_size(array) && (value = json_array_get(array, index)); index++)
#define json_object_foreach(object, key, value)                                                                        \
    for (key = json_next(object); key && (value = json_value(object)); key = json_next(object))
