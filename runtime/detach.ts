// Detaching an ArrayBuffer that V8 does not own: what growth of a memory does to the old buffer.
//
// Node marks external buffers untransferable (structuredClone copies them silently), so the engine's own intrinsic is
// the way. It parses only under a flag, which is on for the moment of the first call; V8 may drop the compiled function
// when it ages and parse anew, hence the second attempt.
import { setFlagsFromString } from "node:v8";

export class Detacher {
  private intrinsic: ((buffer: ArrayBuffer) => void) | undefined;

  detach(buffer: ArrayBuffer): void {
    if (this.intrinsic) {
      try {
        this.intrinsic(buffer);
        return;
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
    setFlagsFromString("--allow-natives-syntax");
    try {
      this.intrinsic = new Function("buffer", "%ArrayBufferDetach(buffer)") as (buffer: ArrayBuffer) => void;
      this.intrinsic(buffer);
    } finally {
      setFlagsFromString("--no-allow-natives-syntax");
    }
  }
}
