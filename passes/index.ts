// The registry: every pass that comes with lathe, in one explicit list. Names are unique (a test holds it).
import { addressGroups } from "./address-groups.js";
import { blockLayout } from "./block-layout.js";
import { blockParams } from "./block-params.js";
import { canonicalizeTypes } from "./canonicalize-types.js";
import { copyFold } from "./copy-fold.js";
import { criticalEdges } from "./critical-edges.js";
import { dce } from "./dce.js";
import { gvn } from "./gvn.js";
import { loopInvariants } from "./loop-invariants.js";
import { mergeBlocks } from "./merge-blocks.js";
import type { Pass } from "./pass.js";
import { simplify } from "./simplify.js";
import { unreachableCode } from "./unreachable-code.js";

export const passes: readonly Pass[] = [
  canonicalizeTypes,
  unreachableCode,
  blockParams,
  copyFold,
  simplify,
  loopInvariants,
  gvn,
  mergeBlocks,
  addressGroups,
  dce,
  criticalEdges,
  blockLayout,
];
