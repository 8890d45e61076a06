__attribute__((noinline)) static int helper(int x) {
  if (x == 7)
    __builtin_trap();
  return x;
}
