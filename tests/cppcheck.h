/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For cppcheck alone: macros of library headers that it does not read. */
#define json_array_foreach(array, index, value)                                                                        \
    for (index = 0; index < json_array_size(array) && (value = json_array_get(array, index)); index++)
#define json_object_foreach(object, key, value)                                                                        \
    for (key = json_next(object); key && (value = json_value(object)); key = json_next(object))
#define LIST_FOREACH(item, list, link)   for (item = (list)->lh_first; item; item = item->link.le_next)
#define SLIST_FOREACH(item, list, link)  for (item = (list)->slh_first; item; item = item->link.sle_next)
#define STAILQ_FOREACH(item, list, link) for (item = (list)->stqh_first; item; item = item->link.stqe_next)
#define TAILQ_FOREACH(item, list, link)  for (item = (list)->tqh_first; item; item = item->link.tqe_next)
