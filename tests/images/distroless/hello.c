/* Shows that the image runs. */
#include <stdio.h>

int main(void) { return puts("hello") < 0; }
