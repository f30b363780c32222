/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the provider heap: it knows what is live, and a wrong free is told, not obeyed. */
#include "server/fsphost/heap.h"
#include "tests/lib/facts.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

static int faults;
static char fault_text[200];

static void note_fault(const char *text)
{
    faults++;
    strncpy(fault_text, text, sizeof(fault_text) - 1);
}

static void a_block_is_live_until_it_is_freed(void **state)
{
    (void)state;
    HANDLE heap = HeapCreate(0, 0, 0);
    char *block = HeapAlloc(heap, 0, 100);
    size_t size = 0;
    assert_true(heap_owns(heap, block, &size));
    assert_int_equal(size, 100);
    assert_int_equal((uintptr_t)block % 16, 0);
    assert_false(heap_owns(heap, block + 16, &size));
    assert_false(heap_owns(heap, &size, &size));
    assert_false(heap_owns(heap, NULL, &size));
    assert_true(HeapFree(heap, 0, block));
    assert_false(heap_owns(heap, block, &size));
    HeapDestroy(heap);
}

static void a_second_free_is_told_and_does_nothing(void **state)
{
    (void)state;
    HANDLE heap = HeapCreate(0, 0, 0);
    void *block = HeapAlloc(heap, 0, 8);
    assert_true(HeapFree(heap, 0, block));
    faults = 0;
    SetLastError(0);
    assert_false(HeapFree(heap, 0, block));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(faults, 1);
    assert_non_null(strstr(fault_text, "freed twice"));
    int local;
    assert_false(HeapFree(heap, 0, &local));
    assert_ptr_equal(LocalFree(&local), &local);
    assert_null(HeapReAlloc(heap, 0, &local, 9));
    assert_int_equal(faults, 4);
    assert_true(HeapFree(heap, 0, NULL));
    assert_null(LocalFree(NULL));
    assert_int_equal(faults, 4);
    HeapDestroy(heap);
}

static void packets_may_come_from_localalloc_but_not_from_a_third_heap(void **state)
{
    (void)state;
    HANDLE heap = HeapCreate(0, 0, 0);
    HANDLE other = HeapCreate(0, 0, 0);
    void *local = LocalAlloc(LPTR, 40);
    void *foreign = HeapAlloc(other, 0, 40);
    size_t size;
    assert_true(heap_owns(heap, local, &size));
    assert_false(heap_owns(heap, foreign, &size));
    assert_false(heap_take(heap, foreign, &size));
    faults = 0;
    assert_false(HeapFree(heap, 0, foreign));
    assert_int_equal(faults, 1);
    assert_non_null(strstr(fault_text, "another heap"));
    assert_true(HeapFree(heap, 0, local)); /* LocalAlloc and HeapAlloc are one allocator */
    assert_true(HeapFree(other, 0, foreign));
    HeapDestroy(heap);
    HeapDestroy(other);
}

static void a_taken_block_is_dead_to_the_plug_in(void **state)
{
    (void)state;
    HANDLE heap = HeapCreate(0, 0, 0);
    char *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 56);
    size_t size;
    assert_true(heap_take(heap, block, &size));
    assert_int_equal(size, 56);
    faults = 0;
    assert_false(HeapFree(heap, 0, block));
    assert_int_equal(faults, 1);
    assert_false(heap_take(heap, block, &size));
    assert_int_equal(block[55], 0); /* still there for the reader */
    heap_discard(block);
    heap_discard(NULL);
    HeapDestroy(heap);
}

static void handles_are_checked(void **state)
{
    (void)state;
    HANDLE heap = HeapCreate(0, 0, 0);
    HANDLE wrong[] = {(HANDLE)1, (HANDLE)(uintptr_t)0x48000000, &heap, INVALID_HANDLE_VALUE,
                      (HANDLE)((uintptr_t)heap + 1)};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        SetLastError(0);
        assert_null(HeapAlloc(wrong[i], 0, 1));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        assert_false(HeapDestroy(wrong[i]));
    }
    assert_false(HeapDestroy(NULL));
    assert_false(HeapDestroy(GetProcessHeap()));
    assert_true(HeapDestroy(heap));
    assert_false(HeapDestroy(heap));
    assert_null(HeapAlloc(heap, 0, 1));
    HANDLE next = HeapCreate(0, 0, 0); /* the same slot, but not the same handle */
    assert_ptr_not_equal(next, heap);
    HeapDestroy(next);
}

static void no_heap_means_the_process_heap(void **state)
{
    (void)state;
    void *block = HeapAlloc(NULL, 0, 10);
    size_t size;
    assert_non_null(block);
    assert_true(heap_owns(GetProcessHeap(), block, &size));
    assert_null(LocalFree(block));
}

static void destroying_a_heap_frees_its_blocks_only(void **state)
{
    (void)state;
    HANDLE heap = HeapCreate(0, 0, 0);
    HANDLE other = HeapCreate(0, 0, 0);
    void *kept = HeapAlloc(other, 0, 10);
    for (int i = 0; i < 10000; i++)
        assert_non_null(HeapAlloc(heap, 0, (size_t)i % 64));
    assert_int_equal(heap_live_blocks(heap), 10000);
    assert_true(HeapDestroy(heap));
    assert_int_equal(heap_live_blocks(heap), 0);
    size_t size;
    assert_true(heap_owns(other, kept, &size));
    HeapDestroy(other);
}

static void realloc_keeps_what_was_there(void **state)
{
    (void)state;
    HANDLE heap = HeapCreate(0, 0, 0);
    char *block = HeapAlloc(heap, 0, 4);
    memcpy(block, "abc", 4);
    block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, 100000);
    assert_string_equal(block, "abc");
    assert_int_equal(block[99999], 0);
    size_t size;
    assert_true(heap_owns(heap, block, &size));
    assert_int_equal(size, 100000);
    assert_null(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 100001));
    assert_true(heap_owns(heap, block, &size)); /* a failure leaves the block as it was */
    assert_ptr_equal(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 50), block);
    assert_null(HeapReAlloc(heap, 0, block, SIZE_MAX));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    assert_true(heap_owns(heap, block, &size));
    HeapDestroy(heap);
}

static void impossible_sizes_fail(void **state)
{
    (void)state;
    assert_null(HeapAlloc(NULL, 0, SIZE_MAX));
    assert_null(LocalAlloc(LPTR, SIZE_MAX - 8));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    void *none = HeapAlloc(NULL, 0, 0);
    assert_non_null(none);
    assert_true(HeapFree(NULL, 0, none));
}

static void *churn(void *heap)
{
    void *blocks[64] = {NULL};
    for (int i = 0; i < 20000; i++) {
        int at = i * 7 % 64;
        size_t size;
        if (blocks[at]) {
            assert_true(heap_take(heap, blocks[at], &size));
            heap_discard(blocks[at]);
        }
        blocks[at] = HeapAlloc(heap, 0, (size_t)i % 200);
    }
    return NULL;
}

static void threads_share_a_heap(void **state)
{
    (void)state;
    HANDLE heap = HeapCreate(0, 0, 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, heap), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(heap_live_blocks(heap), 4 * 64);
    HeapDestroy(heap);
}

static void *read_error(void *seen)
{
    *(DWORD *)seen = GetLastError();
    SetLastError(7);
    return NULL;
}

static void each_thread_has_its_last_error(void **state)
{
    (void)state;
    DWORD seen = 1;
    pthread_t thread;
    SetLastError(42);
    assert_int_equal(pthread_create(&thread, NULL, read_error, &seen), 0);
    pthread_join(thread, NULL);
    assert_int_equal(seen, 0);
    assert_int_equal(GetLastError(), 42);
}

int main(void)
{
    heap_on_fault(note_fault);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_live_until_it_is_freed),
        cmocka_unit_test(a_second_free_is_told_and_does_nothing),
        cmocka_unit_test(packets_may_come_from_localalloc_but_not_from_a_third_heap),
        cmocka_unit_test(a_taken_block_is_dead_to_the_plug_in),
        cmocka_unit_test(handles_are_checked),
        cmocka_unit_test(no_heap_means_the_process_heap),
        cmocka_unit_test(destroying_a_heap_frees_its_blocks_only),
        cmocka_unit_test(realloc_keeps_what_was_there),
        cmocka_unit_test(impossible_sizes_fail),
        cmocka_unit_test(threads_share_a_heap),
        cmocka_unit_test(each_thread_has_its_last_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
