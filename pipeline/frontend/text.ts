// IR as text, wherever a module may stand: which kind it is.

/** Whether a text is IR of ours, not the text format of WebAssembly: it begins with a keyword of declarations or functions. */
export function isIrText(text: string): boolean {
  return /^(?:\s|;[^\n]*(?:\n|$))*(?:module|type|import|func|mfunc|table|memory|global|export|start|elem|data|local|custom|feature)\b/.test(text);
}

/** Whether a text of ours holds machine IR: some line begins a machine function. */
export function isMachineText(text: string): boolean {
  return /^mfunc\b/m.test(text);
}
