// Every job has an owner, and its series carry the owner's name: pushgate's contract in JavaScript, without an SDK.
//
// The names are those of wit/, in camelCase. A push arrives as columns over one arena of bytes: a symbol is a number
// whose text stands in the arena, and the labels of series i are those from labelEnd[i - 1] up to labelEnd[i].

import { log } from "pushgate:plugin/log@0.1.0";

const NOBODY = "owners/nobody";
const DISPUTED = "owners/disputed";

/** Pairs of a regular expression that a whole job matches, and its owner. The first that matches counts. */
let owners = [];

export const policy = {
  describe() {
    return {
      name: "owners",
      version: "1.0.0",
      summary: "Every job has an owner, and its series carry the owner's name.",
      configSchema: JSON.stringify({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: { owners: { type: "object", additionalProperties: { type: "string" } } },
        additionalProperties: false,
      }),
      wants: [],
      mutates: true,
      pure: true,
      codes: [
        { id: NOBODY, meaning: "nobody owns the job" },
        { id: DISPUTED, meaning: "a series names another owner than its job has" },
      ],
      counters: [],
    };
  },

  configure(json) {
    const config = JSON.parse(json);
    const unknown = Object.keys(config).filter((key) => key !== "owners");
    const problems = unknown.map((key) => problem(pointer(key), `unknown option '${key}'; allowed: owners`));
    owners = [];
    for (const [job, owner] of Object.entries(config.owners ?? {})) {
      try {
        owners.push([new RegExp(`^(?:${job})$`), owner]);
      } catch (error) {
        problems.push(problem(pointer("owners", job), `'${job}' is not a regular expression: ${error.message}`));
      }
    }
    if (problems.length > 0) throw problems; // The error of the contract's result.
    if (owners.length > 0) return [];
    log("warn", "nobody owns anything, so every push is refused");
    return [problem("/owners", "is empty, so every push is refused")];
  },

  evaluate({ request, symbols, series }) {
    // The table ends with two symbols more: those that the edit below brings, which are numbered behind the others.
    const texts = decode(symbols);
    const job = texts[request.job];
    const owner = owners.find(([pattern]) => pattern.test(job))?.[1];
    if (owner === undefined) {
      return reject([finding(NOBODY, `nobody owns the job '${job}'; ask the platform team for an entry`)]);
    }
    const disputed = [];
    series.labelEnd.forEach((end, row, ends) => {
      for (let at = row === 0 ? 0 : ends[row - 1]; at < end; at++) {
        const claimed = texts[series.labelValue[at]];
        if (texts[series.labelName[at]] === "owner" && claimed !== owner) {
          const message = `the job '${job}' is owned by '${owner}', not by '${claimed}'; leave the label out`;
          disputed.push(finding(DISPUTED, message, row));
        }
      }
    });
    if (disputed.length > 0) return reject(disputed.slice(0, 100));
    const [name, value] = [texts.length, texts.length + 1];
    const edit = { tag: "set-label", val: [{ tag: "all" }, name, value] };
    return { decision: { tag: "mutate", val: { symbols: encode("owner", owner), edits: [edit] } }, findings: [] };
  },
};

function reject(findings) {
  return { decision: { tag: "reject" }, findings };
}

function finding(code, message, series) {
  return { code, message, series, attributes: [] };
}

function problem(pointer, message) {
  return { pointer, message };
}

/** A JSON pointer (RFC 6901). */
function pointer(...keys) {
  return keys.map((key) => "/" + key.replaceAll("~", "~0").replaceAll("/", "~1")).join("");
}

/** The texts of a symbol table. The engine has no TextDecoder, but it can undo percent-encoding. */
function decode({ bytes, ends }) {
  let start = 0;
  return Array.from(ends, (end) => {
    const text = String.fromCharCode(...bytes.subarray(start, end));
    start = end;
    return decodeURIComponent(escape(text));
  });
}

/** A symbol table of these texts. */
function encode(...texts) {
  const bytes = [];
  const ends = texts.map((text) => {
    bytes.push(...Array.from(unescape(encodeURIComponent(text)), (byte) => byte.charCodeAt(0)));
    return bytes.length;
  });
  return { bytes: Uint8Array.from(bytes), ends: Uint32Array.from(ends) };
}
