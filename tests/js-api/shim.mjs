// What the official JS API tests use of web-platform-tests' testharness, written anew: tests are collected, run one after
// the other, and reported as `{ name, error }`, where an error is the reason of a failure.

const same = (a, b) => Object.is(a, b);

/** How a value appears in names and messages. */
function format_value(value) {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "symbol":
    case "boolean":
    case "undefined":
      return String(value);
    default:
      try {
        return Array.isArray(value) ? `[${value.map(format_value).join(", ")}]` : `${typeof value} "${String(value).slice(0, 60)}"`;
      } catch {
        return typeof value;
      }
  }
}

class AssertionError extends Error {}

function must(condition, description, message) {
  if (!condition) throw new AssertionError(description === undefined ? message : `${description}: ${message}`);
}

/** As the harness has it: the very class, not one derived from it. */
function mustBeError(error, expected, description) {
  must((typeof error === "object" && error !== null) || typeof error === "function", description, `${format_value(error)} was thrown, which is no ${expected.name}`);
  const found = `${error.name}: ${String(error.message).slice(0, 300)}`;
  must(error.constructor === expected && error.name === expected.name, description, `expected ${expected.name}, found ${found}`);
}

const nothing = Symbol("nothing was thrown");
function thrownBy(run) {
  try {
    run();
  } catch (error) {
    return error;
  }
  return nothing;
}

export const assertions = {
  format_value,
  assert_true: (value, description) => must(value === true, description, `expected true, found ${format_value(value)}`),
  assert_false: (value, description) => must(value === false, description, `expected false, found ${format_value(value)}`),
  assert_equals: (actual, expected, description) => must(same(actual, expected), description, `expected ${format_value(expected)}, found ${format_value(actual)}`),
  assert_not_equals: (actual, expected, description) => must(!same(actual, expected), description, `found ${format_value(actual)}, which it must not be`),
  assert_array_equals(actual, expected, description) {
    must(typeof actual === "object" && actual !== null && "length" in actual, description, `expected an array, found ${format_value(actual)}`);
    must(actual.length === expected.length, description, `expected ${format_value([...expected])}, found ${format_value([...actual])}`);
    for (let i = 0; i < expected.length; i++) must(same(actual[i], expected[i]), description, `element ${i}: expected ${format_value(expected[i])}, found ${format_value(actual[i])}`);
  },
  assert_class_string(object, expected, description) {
    const found = Object.prototype.toString.call(object);
    must(found === `[object ${expected}]`, description, `expected [object ${expected}], found ${found}`);
  },
  assert_own_property: (object, key, description) => must(Object.hasOwn(object, key), description, `has no property ${String(key)}`),
  assert_not_own_property: (object, key, description) => must(!Object.hasOwn(object, key), description, `has a property ${String(key)}`),
  assert_unreached: (description) => must(false, description, "this must not be reached"),
  assert_throws_js(expected, run, description) {
    const error = thrownBy(run);
    must(error !== nothing, description, `expected ${expected.name}, nothing was thrown`);
    mustBeError(error, expected, description);
  },
  assert_throws_exactly(expected, run, description) {
    const error = thrownBy(run);
    must(error !== nothing, description, "nothing was thrown");
    must(same(error, expected), description, `expected ${format_value(expected)} itself, found ${format_value(error)}`);
  },
  async promise_rejects_js(_test, expected, promise, description) {
    const error = await promise.then(() => nothing, (reason) => reason);
    must(error !== nothing, description, `expected ${expected.name}, the promise was fulfilled`);
    mustBeError(error, expected, description);
  },
  // Older names, which some files still use: the expected error is given as an example.
  assert_throws: (example, run, description) => assertions.assert_throws_js(example.constructor, run, description),
  promise_rejects: (test, example, promise, description) => assertions.promise_rejects_js(test, example.constructor, promise, description),
  async promise_rejects_exactly(_test, expected, promise, description) {
    const error = await promise.then(() => nothing, (reason) => reason);
    must(same(error, expected), description, `expected ${format_value(expected)} itself, found ${format_value(error)}`);
  },
};

/** The object that tests get: `t`. */
class Test {
  cleanups = [];
  unreached_func(description) {
    return () => assertions.assert_unreached(description);
  }
  step_func(run) {
    return run;
  }
  step(run) {
    return run();
  }
  add_cleanup(run) {
    this.cleanups.push(run);
  }
}

/** The functions that define tests, and `finish`, which waits for all of them. */
export function newHarness() {
  const results = [];
  const waiting = [];
  const report = (name, error) => results.push({ name: String(name), error });
  const reasonOf = (error) => (error instanceof AssertionError ? error.message : error instanceof Error ? `${error.name}: ${error.message}` : format_value(error));
  const finish = async () => {
    for (const { run, name } of waiting) {
      const test = new Test();
      let error;
      try {
        await run(test);
      } catch (reason) {
        error = reasonOf(reason);
      }
      for (const cleanup of test.cleanups) await cleanup();
      report(name, error);
    }
    return results;
  };
  return {
    finish,
    globals: {
      ...assertions,
      setup(first) {
        if (typeof first === "function") first();
      },
      test(run, name) {
        const test = new Test();
        let error;
        try {
          run(test);
        } catch (reason) {
          error = reasonOf(reason);
        }
        for (const cleanup of test.cleanups) cleanup();
        report(name, error);
      },
      promise_test(run, name) {
        waiting.push({ run, name });
      },
      done() {},
    },
  };
}
