typedef void *HANDLE;
#define INFINITE 0xffffffff
unsigned long __stdcall WaitForSingleObject(HANDLE, unsigned long);
int __stdcall CloseHandle(HANDLE);
