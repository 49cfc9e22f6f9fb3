/* Wine 8 has no bcryptprimitives.dll, which the library cryptography asks for random bytes. This one asks Windows' older function. Only
   for `make test-windows`; it is never shipped. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG); /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return SystemFunction036(data, (ULONG)length); }
