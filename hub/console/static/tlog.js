// The log's own proofs, checked in this browser: it believes hashes and signatures, not the hub.
// RFC 6962 (2.1), C2SP tlog-tiles, tlog-checkpoint and signed-note; the hashes are Web Crypto's.

const WIDTH = 256;
const HASH = 32;
const EMPTY = new Uint8Array();
const text = new TextEncoder();

/** What does not hold. */
export class Unproven extends Error {}

const joined = (...parts) => {
  const made = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    made.set(part, at);
    at += part.length;
  }
  return made;
};

const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
export const leafHash = (entry) => sha256(Uint8Array.of(0), entry);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);
export const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
export const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
export const fromBase64 = (written) => Uint8Array.from(atob(written), (char) => char.charCodeAt(0));

/** Read a verifier key: name+id+base64(type and public key). */
async function readKey(written) {
  const [, name, id, body] = /^(.+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(written) ?? [];
  const bytes = body ? fromBase64(body) : EMPTY;
  const wanted = hex((await sha256(text.encode(`${name}\n`), bytes)).slice(0, 4));
  if (bytes.length !== 33 || bytes[0] !== 1 || id !== wanted) throw new Unproven("key");
  return { name, id, key: await crypto.subtle.importKey("raw", bytes.slice(1), "Ed25519", true, ["verify"]) };
}

/** Read a checkpoint that one of these verifier keys signed; anything else is no checkpoint. */
export async function readCheckpoint(note, keys) {
  const end = note.lastIndexOf("\n\n");
  const body = note.slice(0, end + 1);
  const [origin, size, root] = body.split("\n");
  if (end < 0 || !/^(0|[1-9][0-9]{0,15})$/.test(size)) throw new Unproven("checkpoint");
  const lines = note.slice(end + 2).split("\n").filter(Boolean).map((line) => {
    const [, name, signature] = /^\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
    return { name, bytes: signature ? fromBase64(signature) : EMPTY };
  });
  let signed = 0;
  for (const written of keys) {
    const one = await readKey(written);
    for (const line of lines) {
      if (line.name !== one.name || hex(line.bytes.slice(0, 4)) !== one.id) continue;
      // A key that is known and does not hold makes the whole worthless.
      if (!(await crypto.subtle.verify("Ed25519", one.key, line.bytes.slice(4), text.encode(body)))) throw new Unproven("signature");
      signed += 1;
    }
  }
  if (!signed) throw new Unproven("unsigned");
  return { origin, size: Number(size), root: fromBase64(root), others: lines.length - signed };
}

const numbered = (n) => {
  const groups = [String(n % 1000).padStart(3, "0")];
  for (let rest = Math.floor(n / 1000); rest; rest = Math.floor(rest / 1000)) groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  return groups.join("/");
};

/** Return the hashes of the lowest tile with a number, of a log of so many entries. */
export async function tile(number, size) {
  const width = Math.min(WIDTH, size - number * WIDTH);
  const answer = await fetch(`/log/tile/0/${numbered(number)}${width < WIDTH ? `.p/${width}` : ""}`, { credentials: "same-origin" });
  if (!answer.ok) throw new Unproven("tile");
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes.length !== width * HASH) throw new Unproven("tile");
  return Array.from({ length: width }, (_, i) => bytes.slice(i * HASH, (i + 1) * HASH));
}

/** The tree over leaves that come one after the other: what is left of it is its right edge. */
class Edge {
  constructor() {
    this.size = 0;
    this.stack = []; // [height, hash], from the left
  }

  async add(leaf) {
    let height = 0;
    let hash = leaf;
    while (this.stack.length && this.stack.at(-1)[0] === height) {
      hash = await nodeHash(this.stack.pop()[1], hash);
      height += 1;
    }
    this.stack.push([height, hash]);
    this.size += 1;
  }

  async root() {
    let hash = null;
    for (const [, node] of [...this.stack].reverse()) hash = hash === null ? node : await nodeHash(node, hash);
    return hash ?? sha256(EMPTY);
  }
}

/**
 * Make the tree of a checkpoint anew from all its leaves, and an earlier one on the way.
 * Nothing is known of what the leaves say; `leaves` can be asked for each afterwards.
 */
export async function verifyTree(checkpoint, earlier, told) {
  const edge = new Edge();
  const leaves = [];
  for (let number = 0; number * WIDTH < checkpoint.size; number += 1) {
    for (const leaf of await tile(number, checkpoint.size)) {
      await edge.add(leaf);
      leaves.push(leaf);
      if (edge.size === earlier?.size && hex(await edge.root()) !== earlier.root) throw new Unproven("history");
    }
    told(edge.size, checkpoint.size);
  }
  if (earlier && earlier.size > checkpoint.size) throw new Unproven("shrunk");
  if (!same(await edge.root(), checkpoint.root)) throw new Unproven("root");
  return leaves;
}
