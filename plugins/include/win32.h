/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the Win32 API that the documentation of fax service providers asks for, on Linux: scalar types, the heap,
 * the last error, and posting to a completion port. libfspcompat.so implements it; an FSP links against that library.
 *
 * Sizes are those of Windows on every architecture (LLP64): DWORD and LONG have 32 bits, WCHAR is one UTF-16 unit.
 * Source that comes from Windows is compiled with -fshort-wchar, so that L"..." is UTF-16; both ways give the same
 * layout.
 *
 * Thread: every function may be called from any thread.
 */
#ifndef FAXD_WIN32_H
#define FAXD_WIN32_H

#include <stddef.h>
#include <stdint.h>

/* Calling conventions and annotations mean nothing here. */
#define WINAPI
#define CALLBACK
#define APIENTRY
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID  void
#define _In_
#define _Out_
#define _Inout_
#define _In_opt_
#define _Out_opt_
#define _Out_writes_(count)
#define _Out_writes_bytes_opt_(size)

/* What a plug-in shows to its host stays visible when all else is compiled with -fvisibility=hidden. */
#define FSP_EXPORT __attribute__((visibility("default")))

typedef int32_t BOOL, *LPBOOL;
typedef uint8_t BYTE, *LPBYTE;
typedef uint16_t WORD;
typedef uint32_t DWORD, *LPDWORD;
typedef uint32_t ULONG, UINT;
typedef int32_t LONG, INT;
typedef int32_t HRESULT;
typedef uintptr_t DWORD_PTR, ULONG_PTR, UINT_PTR;
typedef size_t SIZE_T;
typedef void *LPVOID;
typedef const void *LPCVOID;
typedef void *HANDLE, **PHANDLE;
typedef HANDLE HINSTANCE, HMODULE, HLOCAL;

#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR; /* -fshort-wchar */
#else
typedef uint16_t WCHAR;
#endif
typedef WCHAR *LPWSTR;
typedef const WCHAR *LPCWSTR;

/* Only ever carries the address of a packet, never an operation. */
typedef struct _OVERLAPPED *LPOVERLAPPED;

#define TRUE                 1
#define FALSE                0
#define INFINITE             0xFFFFFFFFu
#define INVALID_HANDLE_VALUE ((HANDLE)(intptr_t)-1)

#define S_OK          ((HRESULT)0)
#define E_FAIL        ((HRESULT)0x80004005u)
#define SUCCEEDED(hr) ((HRESULT)(hr) >= 0)
#define FAILED(hr)    ((HRESULT)(hr) < 0)

#define NO_ERROR                   0u
#define ERROR_SUCCESS              0u
#define ERROR_FILE_NOT_FOUND       2u
#define ERROR_INVALID_HANDLE       6u
#define ERROR_NOT_ENOUGH_MEMORY    8u
#define ERROR_NOT_SUPPORTED        50u
#define ERROR_INVALID_PARAMETER    87u
#define ERROR_INSUFFICIENT_BUFFER  122u
#define ERROR_BUSY                 170u
#define WAIT_TIMEOUT               258u
#define ERROR_SHUTDOWN_IN_PROGRESS 1115u

#define HEAP_NO_SERIALIZE          0x01u /* ignored: every heap is serialised */
#define HEAP_GENERATE_EXCEPTIONS   0x04u /* out of memory ends the process */
#define HEAP_ZERO_MEMORY           0x08u
#define HEAP_REALLOC_IN_PLACE_ONLY 0x10u /* fails unless the size shrinks or stays */
#define LMEM_FIXED                 0x00u
#define LMEM_ZEROINIT              0x40u
#define LPTR                       (LMEM_FIXED | LMEM_ZEROINIT)

#define DLL_PROCESS_DETACH 0u
#define DLL_PROCESS_ATTACH 1u
#define DLL_THREAD_ATTACH  2u
#define DLL_THREAD_DETACH  3u

#ifdef __cplusplus
extern "C" {
#endif

/* A block of `bytes` octets (0 gives a valid block of none) from `heap`, aligned for any type; NULL when memory is out
 * or the handle is none (ERROR_INVALID_HANDLE). `heap` NULL means the process heap, since a provider learns of its own
 * heap only in FaxDevInitialize. Freed with HeapFree. */
FSP_EXPORT LPVOID WINAPI HeapAlloc(HANDLE heap, DWORD flags, SIZE_T bytes);

/* Change the size of a block of this heap; the old address is void when the result is not NULL. HEAP_ZERO_MEMORY clears
 * what was added. NULL leaves the old block as it was. */
FSP_EXPORT LPVOID WINAPI HeapReAlloc(HANDLE heap, DWORD flags, LPVOID block, SIZE_T bytes);

/* Free a block; NULL is fine. An address that is no live block of this heap (freed twice, foreign, already posted and
 * taken by the host) is reported, left alone, and gives FALSE with ERROR_INVALID_PARAMETER. */
FSP_EXPORT BOOL WINAPI HeapFree(HANDLE heap, DWORD flags, LPVOID block);

/* The heap behind LocalAlloc; never NULL. */
FSP_EXPORT HANDLE WINAPI GetProcessHeap(void);

/* A new heap (both sizes are ignored: it grows as needed), or NULL when 64 exist. */
FSP_EXPORT HANDLE WINAPI HeapCreate(DWORD flags, SIZE_T initial_bytes, SIZE_T maximum_bytes);

/* Free all blocks of a heap and its handle. The process heap cannot be destroyed. */
FSP_EXPORT BOOL WINAPI HeapDestroy(HANDLE heap);

/* As HeapAlloc from the process heap. Moveable memory does not exist: the result is the address. */
FSP_EXPORT HLOCAL WINAPI LocalAlloc(UINT flags, SIZE_T bytes);

/* NULL on success, `block` when it is no live block. */
FSP_EXPORT HLOCAL WINAPI LocalFree(HLOCAL block);

/* This thread's last error. */
FSP_EXPORT DWORD WINAPI GetLastError(void);
FSP_EXPORT void WINAPI SetLastError(DWORD code);

/* A new completion port. Only `file` INVALID_HANDLE_VALUE and `existing` NULL are supported: files cannot be bound to a
 * port here. NULL and the last error when that fails or 64 exist. */
FSP_EXPORT HANDLE WINAPI CreateIoCompletionPort(HANDLE file, HANDLE existing, ULONG_PTR key, DWORD threads);

/* Queue the three values, untouched, first in first out. Never blocks; FALSE for a bad handle or when memory is out.
 * Once it returned TRUE, `packet` belongs to the reader of the port. */
FSP_EXPORT BOOL WINAPI PostQueuedCompletionStatus(HANDLE port, DWORD bytes, ULONG_PTR key, LPOVERLAPPED packet);

/* Take the oldest entry, waiting at most `timeout_ms` (or INFINITE): FALSE and WAIT_TIMEOUT when none came. */
FSP_EXPORT BOOL WINAPI GetQueuedCompletionStatus(HANDLE port, LPDWORD bytes, ULONG_PTR *key, LPOVERLAPPED *packet,
                                                 DWORD timeout_ms);

/* An FSP may export this; the host calls it with DLL_PROCESS_ATTACH after loading, with DLL_PROCESS_DETACH at the end.
 */
FSP_EXPORT BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved);

#ifdef __cplusplus
}
#endif
#endif
