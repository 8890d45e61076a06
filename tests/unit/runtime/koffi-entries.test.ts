// The tests of calls once more with native code entered through koffi, as where Node-API cannot be had.
import { configureThread } from "../../../runtime/index.js";

configureThread({ nodeApi: false });
await import("./calls.test.js");
