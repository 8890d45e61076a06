// Which V8 this host has, for what differs between them.
//
//     11 Node 20    12 Node 22    13 Node 24    14 Node 26

export const V8_MAJOR = Number.parseInt(process.versions.v8, 10);
