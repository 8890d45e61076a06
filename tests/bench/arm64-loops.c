// Loops whose instructions arm64-loops.ts counts: each function has one innermost loop, the hot one.
//
// Compiled twice: by gcc to arm64 code, and by clang to WebAssembly, from which our code is made. No headers, so that both
// need nothing but a compiler. Both without vectorizing and unrolling.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

int sum_i32(const int *a, int n) {
  int s = 0;
  for (int i = 0; i < n; i++) s += a[i];
  return s;
}

int dot_i32(const int *a, const int *b, int n) {
  int s = 0;
  for (int i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

double dot_f64(const double *a, const double *b, int n) {
  double s = 0;
  for (int i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

void saxpy_f32(float *y, const float *x, float k, int n) {
  for (int i = 0; i < n; i++) y[i] = y[i] + k * x[i];
}

void stencil_f64(double *to, const double *from, int n) {
  for (int i = 1; i < n; i++) to[i] = (from[i - 1] + from[i] + from[i + 1]) * (1.0 / 3.0);
}

double matmul_f64(const double *a, const double *b, int n) {
  double s = 0;
  for (int k = 0; k < n; k++) s += a[k] * b[k * 100];
  return s;
}

void jacobi_f64(double (*to)[100], double (*from)[100], int n) {
  for (int i = 1; i < n; i++)
    for (int j = 1; j < 99; j++) to[i][j] = 0.25 * (from[i - 1][j] + from[i + 1][j] + from[i][j - 1] + from[i][j + 1]);
}

void floyd_i32(int *row, const int *other, int via, int n) {
  for (int j = 0; j < n; j++) {
    int d = via + other[j];
    if (d < row[j]) row[j] = d;
  }
}

void copy_u8(u8 *to, const u8 *from, int n) {
#pragma GCC unroll 1
  for (int i = 0; i < n; i++) {
    to[i] = from[i];
    __asm__ volatile("" ::: "memory");
  }
}

int length_u8(const char *s) {
  const char *p = s;
  while (*p) {
    p++;
    __asm__ volatile("");
  }
  return p - s;
}

u32 fnv_u8(const u8 *s, int n) {
  u32 h = 2166136261u;
  for (int i = 0; i < n; i++) h = (h ^ s[i]) * 16777619u;
  return h;
}

u32 crc_u8(const u8 *s, int n, const u32 *table) {
  u32 c = ~0u;
  for (int i = 0; i < n; i++) c = table[(c ^ s[i]) & 0xff] ^ (c >> 8);
  return ~c;
}

u32 adler_u8(const u8 *s, int n) {
  u32 a = 1, b = 0;
  for (int i = 0; i < n; i++) {
    a += s[i];
    b += a;
  }
  return b << 16 | a;
}

int count_spaces(const u8 *s, int n) {
  int c = 0;
  for (int i = 0; i < n; i++)
    if (s[i] == ' ' || s[i] == '\n' || s[i] == '\t') c++;
  return c;
}

int count_digits(const u8 *s, int n) {
  int c = 0;
  for (int i = 0; i < n; i++) c += s[i] >= '0' && s[i] <= '9';
  return c;
}

void upper_u8(u8 *s, int n) {
  for (int i = 0; i < n; i++)
    if (s[i] >= 'a' && s[i] <= 'z') s[i] -= 32;
}

void histogram_u8(u32 *bins, const u8 *s, int n) {
  for (int i = 0; i < n; i++) bins[s[i]]++;
}

int max_i32(const int *a, int n) {
  int m = a[0];
  for (int i = 1; i < n; i++)
    if (a[i] > m) m = a[i];
  return m;
}

int find_i32(const int *a, int n, int x) {
  for (int i = 0; i < n; i++)
    if (a[i] == x) return i;
  return -1;
}

int search_i32(const int *a, int n, int x) {
  int low = 0, high = n;
  while (low < high) {
    int mid = (u32)(low + high) >> 1;
    if (a[mid] < x) low = mid + 1;
    else high = mid;
  }
  return low;
}

struct Node {
  struct Node *next;
  int value;
  int weight;
};

int list_sum(const struct Node *p) {
  int s = 0;
  for (; p; p = p->next) s += p->value * p->weight;
  return s;
}

struct Particle {
  double x, y, z, vx, vy, vz;
};

void move_particles(struct Particle *p, int n, double t) {
  for (int i = 0; i < n; i++) {
    p[i].x += p[i].vx * t;
    p[i].y += p[i].vy * t;
    p[i].z += p[i].vz * t;
  }
}

u32 gcd_u32(u32 a, u32 b) {
  while (b) {
    u32 t = a % b;
    a = b;
    b = t;
  }
  return a;
}

int collatz(u32 n) {
  int steps = 0;
  while (n != 1) {
    n = n & 1 ? 3 * n + 1 : n >> 1;
    steps++;
  }
  return steps;
}

int escape_f64(double cr, double ci, int limit) {
  double x = 0, y = 0;
  int i = 0;
  while (i < limit && x * x + y * y < 4.0) {
    double t = x * x - y * y + cr;
    y = 2 * x * y + ci;
    x = t;
    i++;
  }
  return i;
}

u64 xorshift_u64(u64 x, int n) {
  for (int i = 0; i < n; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

int popcount_u64(const u64 *a, int n) {
  int c = 0;
  for (int i = 0; i < n; i++) c += __builtin_popcountll(a[i]);
  return c;
}

u64 mulmod_u32(const u32 *a, int n, u32 k) {
  u64 s = 0;
  for (int i = 0; i < n; i++) s += (u64)a[i] * k;
  return s;
}

void sha_schedule(u32 *w) {
  for (int i = 16; i < 64; i++) {
    u32 a = w[i - 15], b = w[i - 2];
    u32 s0 = (a >> 7 | a << 25) ^ (a >> 18 | a << 14) ^ a >> 3;
    u32 s1 = (b >> 17 | b << 15) ^ (b >> 19 | b << 13) ^ b >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
}

void pack_rgb565(u16 *to, const u8 *from, int n) {
  for (int i = 0; i < n; i++, from += 3) to[i] = (from[0] >> 3) << 11 | (from[1] >> 2) << 5 | from[2] >> 3;
}

void swap_bytes(u32 *a, int n) {
  for (int i = 0; i < n; i++) a[i] = __builtin_bswap32(a[i]);
}

void reverse_i32(int *a, int n) {
  for (int i = 0, j = n - 1; i < j; i++, j--) {
    int t = a[i];
    a[i] = a[j];
    a[j] = t;
  }
}

int sift_down(double *a, int at, int n) {
  double x = a[at];
  int child;
  while ((child = 2 * at + 1) < n) {
    if (child + 1 < n && a[child] < a[child + 1]) child++;
    if (a[child] <= x) break;
    a[at] = a[child];
    at = child;
  }
  a[at] = x;
  return at;
}

void sieve_u8(u8 *composite, int p, int n) {
  for (int i = p * p; i < n; i += p) composite[i] = 1;
}

void to_gray(u8 *to, const u8 *from, int n) {
  for (int i = 0; i < n; i++) to[i] = (from[4 * i] * 77 + from[4 * i + 1] * 150 + from[4 * i + 2] * 29) >> 8;
}

void clamp_i16(short *a, const int *b, int n) {
  for (int i = 0; i < n; i++) {
    int x = b[i] >> 8;
    a[i] = x < -32768 ? -32768 : x > 32767 ? 32767 : x;
  }
}

void prefix_i64(i64 *a, int n) {
  i64 s = 0;
  for (int i = 0; i < n; i++) a[i] = s += a[i];
}

double horner_f64(const double *c, int n, double x) {
  double s = 0;
  for (int i = 0; i < n; i++) s = s * x + c[i];
  return s;
}

void int_to_float(float *to, const int *from, int n, float scale) {
  for (int i = 0; i < n; i++) to[i] = from[i] * scale;
}

int compare_u8(const u8 *a, const u8 *b, int n) {
  for (int i = 0; i < n; i++)
    if (a[i] != b[i]) return a[i] - b[i];
  return 0;
}
