#include "sub/helper.h"
__attribute__((noinline)) int inner(int x) {
  int y = 100;
  return y / x;
}
__attribute__((noinline)) int middle(int x) {
  return inner(x) + helper(x);
}
__attribute__((export_name("run"))) int run(int x) {
  int s = 0;
  for (int i = 0; i < 3; i++)
    s += middle(x);
  return s;
}
