/* Three generations of a script's processes that no signal to its shell, its group or its session reaches together:
 *
 *     family MARK
 *
 * The first is the shell's child and deaf to SIGTERM; it ends with 1 when the second has been told. The second, in a
 * session of its own, says so when SIGTERM comes and stays. The third is an orphan in a session of its own, and deaf to
 * all that can be ignored. `started` is written when all three are there. MARK is for who looks for them in /proc. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int told[2];

static void say(const char* text) {
  if (write(STDOUT_FILENO, text, strlen(text)) < 0) _exit(3);
}

static void on_term(int number) {
  (void)number;
  say("the second generation was told\n");
  if (write(told[1], "", 1) < 0) _exit(3);
}

static void stay(void) {
  for (;;) pause();
}

static void third(void) {
  if (fork() != 0) _exit(0);
  setsid();
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_IGN);
  say("started\n");
  stay();
}

static void second(void) {
  setsid();
  signal(SIGTERM, on_term);
  if (fork() == 0) third();
  stay();
}

int main(void) {
  char byte;
  signal(SIGTERM, SIG_IGN);
  if (pipe(told) != 0) return 3;
  if (fork() == 0) second();
  return read(told[0], &byte, 1) == 1 ? 1 : 3;
}
